"""A write that the app may not make: refused row by row with the scope's name, while the other writes go on."""

from collections.abc import Awaitable, Callable, Sequence

from pipelines.channels.hubspot.session import MISSING_SCOPES
from pipelines.errors import CredentialError
from pipelines.http import Session
from pipelines.model import Correction, Outcome, OutcomeStatus

Write = Callable[[Session, Sequence[Correction], str], Awaitable[list[Outcome]]]


def within_scopes(write: Write) -> Write:
    """The same write, with an outcome for every row where HubSpot says that a scope is missing."""

    async def scoped(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
        try:
            return await write(session, corrections, key)
        except CredentialError as error:
            if error.code != MISSING_SCOPES:
                raise
            return [
                Outcome(c.correction_key, OutcomeStatus.REJECTED, error.code, error.message, error.request_id)
                for c in corrections
            ]

    return scoped
