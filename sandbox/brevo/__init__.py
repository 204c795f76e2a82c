"""Brevo as the sandbox plays it: contacts, their lists and attributes behind the API v3.

`vendor` is the world's hand and the judge's eye, `api` the routes, `contacts` what may become of a contact, `imports`
the work that goes on after its answer, `limits` how often one may ask, `documents` the shapes. Facts: VENDORS.md and
the vendor's pages; shapes: its own description of 2024.
"""

from sandbox.brevo.vendor import ORGANIZATION, BrevoVendor

__all__ = ["ORGANIZATION", "BrevoVendor"]
