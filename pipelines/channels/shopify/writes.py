"""The writers of Shopify, as push finds them. What each does and refuses is in the module that it comes from.

The mutations that set a record whole are not used anywhere: they delete the list entries that are left out.
"""

from pipelines.channels.shopify.write_people import CONSENT_WRITER, CUSTOMER_WRITER
from pipelines.channels.shopify.write_stock import STOCK_WRITER
from pipelines.channels.shopify.write_variants import ITEM_WRITER, PRICE_WRITER

WRITERS = (ITEM_WRITER, PRICE_WRITER, STOCK_WRITER, CUSTOMER_WRITER, CONSENT_WRITER)
