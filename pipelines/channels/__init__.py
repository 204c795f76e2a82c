"""The outside systems, one folder each; `CHANNELS` is the list, written by hand.

A new system is a folder here and a line in the list: its assets, checks and docs follow. Nothing else belongs here.
"""

from pipelines.channels.base import Channel
from pipelines.channels.brevo import BREVO
from pipelines.channels.files import FILES
from pipelines.channels.hubspot import HUBSPOT
from pipelines.channels.mailchimp import MAILCHIMP
from pipelines.channels.odoo import ODOO
from pipelines.channels.shopify import SHOPIFY
from pipelines.channels.square import SQUARE
from pipelines.channels.vendure import VENDURE
from pipelines.channels.woocommerce import WOOCOMMERCE

CHANNELS: tuple[Channel, ...] = (SQUARE, SHOPIFY, HUBSPOT, MAILCHIMP, ODOO, VENDURE, WOOCOMMERCE, BREVO, FILES)
