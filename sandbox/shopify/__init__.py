"""Shopify's Admin GraphQL API 2026-07, played over the sandbox's store.

`schema.graphql` is what is served, `graph` what hangs where, `app` the HTTP face with cost and throttle; `prices`,
`inventory` and `customers` are the mutations, `bulk` and `projection` the bulk operations, `documents` the records'
shapes. Imports nothing of the pipeline.
"""

from sandbox.shopify.vendor import SHOP_ID, ShopifyVendor

__all__ = ["SHOP_ID", "ShopifyVendor"]
