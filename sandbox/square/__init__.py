"""Square, played: the endpoints of Square-Version 2025-08-20 that a sync needs, over the world's store.

`hand` is how the world puts records in and the judge looks at them, `app` the API. Kept strictly: catalogue
versions and the one-writer lock, idempotency keys, page maxima, cursors, search lag, read-only e-mail permission.
"""

from sandbox.square.hand import SquareVendor

__all__ = ["SquareVendor"]
