"""Mailchimp as the sandbox plays it: audiences and their members behind the Marketing API 3.0.

`vendor` is the world's hand and the judge's eye, `api` the routes, `members` what may become of a member, `pages`
offset paging that stays quick at a million members, `documents` the shapes. Facts: VENDORS.md; shapes: the vendor's
own description of 2021.
"""

from sandbox.mailchimp.vendor import ACCOUNT_ID, MailchimpVendor

__all__ = ["ACCOUNT_ID", "MailchimpVendor"]
