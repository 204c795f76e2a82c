"""WooCommerce as the sandbox plays it: products, variations, customers and orders behind the REST API v3.

`vendor` is the world's hand and the judge's eye, `api` the routes, `keys` the two ways to prove who calls, `lists` the
paging and its filters, `goods` and `people` what may be changed and how. Facts: VENDORS.md; shapes: the description
reconstructed from the vendor's documentation.
"""

from sandbox.woocommerce.vendor import SHOP_ID, WoocommerceVendor

__all__ = ["SHOP_ID", "WoocommerceVendor"]
