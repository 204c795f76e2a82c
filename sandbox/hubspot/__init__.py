"""HubSpot as the sandbox plays it: contacts, products and e-mail subscriptions behind the CRM v3 API.

`vendor` is the world's hand and the judge's eye, `api` the routes, `objects` the records and their rules, `search`
the lagging index, `preferences` the permissions, `limits` the rate limits. Facts: VENDORS.md; shapes: the spec
reconstructed from HubSpot's SDK.
"""

from sandbox.hubspot.vendor import HUB_ID, HubspotVendor

__all__ = ["HUB_ID", "HubspotVendor"]
