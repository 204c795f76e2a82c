"""A barcode as it is written to a system. How it is read is `norm_gtin` of `identifiers.sql`: 14 digits, always."""


def printed(gtin: str) -> str:
    """A GTIN of 14 digits as it is printed on the item, and scanners read it: 8, 13 or 14 of them.

    >>> printed("03760123456785"), printed("00000012345670"), printed("13760123456782"), printed("00012345678905")
    ('3760123456785', '12345670', '13760123456782', '0012345678905')
    """
    if len(gtin) == 14 and gtin.startswith("000000"):
        return gtin[6:]
    return gtin[1:] if len(gtin) == 14 and gtin.startswith("0") else gtin
