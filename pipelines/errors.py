"""The error tree, by what the caller should do. Each names the system, the key and the request id it has.

    SyncError
      ConfigurationError        stop; the user mends a setting, a policy or an estate file
      ChannelError              one system failed
        RetriableChannelError   wait `retry_after` seconds and try the same call again
        CredentialError         that system is skipped tonight; the others go on
        AmbiguousWrite          a write whose answer was lost: read back before anything else
        FatalChannelError       that system is skipped tonight; the others go on
          BreakerOpen           so is this one: it fails call after call, and this call was not sent (R16)
      RejectedCorrection        the vendor refused this row: record it, go on
      StalePlan                 the value or the fingerprint moved since the plan: plan again
      UnsafePlan                a cap, a guard or a fatal check stopped it: a person decides
      DataError                 a row or a file that cannot be read: quarantine
      LeaseHeld                 another run is writing: say who, leave
      NotDurable                what must be on record cannot be: stop before anything is done that is not (R19)
"""


class SyncError(Exception):
    """Root of all errors raised on purpose."""

    def __init__(self, message: str, *, system: str = "", key: str = "", request_id: str = "") -> None:
        where = " ".join(
            f"[{name} {value}]"
            for name, value in (("system", system), ("key", key), ("request", request_id))
            if value
        )
        super().__init__(f"{message} {where}".strip())
        self.message, self.system, self.key, self.request_id = message, system, key, request_id


class ConfigurationError(SyncError):
    """A setting, policy or estate file is missing or wrong; the message names the place and the cure."""


class ChannelError(SyncError):
    """One outside system failed."""

    def __init__(self, message: str, *, status: int | None = None, code: str = "", **where: str) -> None:
        super().__init__(message, **where)
        self.status, self.code = status, code


class RetriableChannelError(ChannelError):
    """Worth another try of the same call after `retry_after` seconds (None: back off)."""

    def __init__(self, message: str, *, retry_after: float | None = None, **rest: object) -> None:
        super().__init__(message, **rest)  # type: ignore[arg-type]
        self.retry_after = retry_after


class CredentialError(ChannelError):
    """The system refused the credential or a scope is missing."""


class AmbiguousWrite(ChannelError):
    """The write may or may not have been applied."""


class FatalChannelError(ChannelError):
    """The system answered something no retry mends."""


class BreakerOpen(FatalChannelError):
    """The system has been failing for some time: nothing is sent to it for a while."""


class RejectedCorrection(SyncError):
    """The vendor refused one row."""


class StalePlan(SyncError):
    """What was approved is no longer what would be applied."""


class UnsafePlan(SyncError):
    """A cap, a guard or a check stopped the plan."""


class DataError(SyncError):
    """A row or file that cannot be read as what it claims to be."""


class LeaseHeld(SyncError):
    """Another process holds the writing lease."""


class NotDurable(SyncError):
    """A file of the ledger cannot be written."""
