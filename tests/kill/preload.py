"""What every process of this suite needs, imported once by the server that forks them; imports nothing that threads."""

import uvicorn  # noqa: F401
import uvicorn.protocols.http.httptools_impl  # noqa: F401

from pipelines import agree, extract, verify  # noqa: F401
from pipelines.reconcile import consents, drift, items, persons, trees  # noqa: F401
from sandbox.app import load_vendors

load_vendors()
