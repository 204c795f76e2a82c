"""How a command ends: errors made on purpose become one sentence on stderr and an exit code; all others are bugs.

But for a file that the system does not let us write: that is told by its name, too (R19).
"""

import errno
import sys
from collections.abc import Callable

from cli.screen import warn
from pipelines.errors import ConfigurationError, DataError, LeaseHeld, SyncError

_UNWRITABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def leave(work: Callable[[], int]) -> None:
    """Run a command; errors made on purpose become one sentence and their exit code."""
    try:
        code = work()
    except LeaseHeld as error:
        warn(str(error))
        code = 3
    except (ConfigurationError, DataError) as error:
        warn(str(error))
        code = 2
    except SyncError as error:
        warn(str(error))
        code = 1
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        warn(f"{error.filename or 'a file'} cannot be written: {error.strerror}; mend it and run again")
        code = 2
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
