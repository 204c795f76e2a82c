"""How a command ends: errors made on purpose become one sentence on stderr and an exit code; all others are bugs."""

import sys
from collections.abc import Callable

from cli.screen import warn
from pipelines.errors import ConfigurationError, DataError, LeaseHeld, SyncError


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
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
