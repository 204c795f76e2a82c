"""The mapping: which files a retailer drops, what their columns are called and how they write numbers and dates.

A TOML file of the user's, beside estate.toml or in the folder of the drops; docs/channels/files.md explains it. This
module says what may stand in it; what contradicts itself is found in `mapping_check`. It reads no drop and knows no
table of ours.
"""

from pathlib import PurePosixPath
from typing import Literal
from zoneinfo import available_timezones

from pydantic import Field, field_validator

from pipelines.configuration import Section, suggestion
from pipelines.currencies import DIGITS

ENTITIES = ("items", "prices", "stock", "customers", "consents")

UNTICKED = frozenset({"faux", "false", "0"})
"""Words of a box that is not ticked."""
Header = str | list[str]
"""A column's header, or the headers it may have; "#3" is the third column, whatever it is called."""
_A_HEADER = 'A header, or a list of the headers that the column may have; "#3": the third column.'


class Form(Section):
    """How a file is written; under `[defaults]`, of all files that do not say otherwise."""

    format: Literal["csv", "xlsx", "parquet"] = "csv"
    encoding: Literal["utf-8", "utf-8-sig", "cp1252", "iso-8859-15", "utf-16"] = Field(
        "utf-8", description="Of a CSV file; a mark at its beginning (BOM) is read in utf-8 too, written in utf-8-sig."
    )
    delimiter: Literal[",", ";", "\t", "|"] = ";"
    quote: Literal['"', "'", ""] = Field('"', description="Around texts that hold a delimiter; empty: none is.")
    header_row: int = Field(1, ge=0, le=100, description="The line that names the columns; 0: none does.")
    sheet: str = Field("", description="Of an Excel file; empty: the first one.")
    decimal: Literal[".", ","] = ","
    thousands: Literal["", ".", ",", " ", "'"] = Field("", description="Between thousands; read, never written.")
    dates: Literal["day-month-year", "month-day-year", "year-month-day"] = "day-month-year"
    timezone: str = Field("Europe/Paris", description="IANA name: of the moments that do not say theirs.")
    currency: str = Field("", description="Of all amounts, where no column says it: a code of ISO 4217.")
    tax_basis: Literal["gross", "net", "unknown"] = Field("unknown", description="unknown: the estate says it.")
    unit: Literal["major", "minor"] = Field("major", description="Amounts in euros, or in whole cents.")
    yes: list[str] = ["oui", "o", "yes", "y", "vrai", "true", "1", "x"]
    no: list[str] = Field(
        ["non", "n", "no", "faux", "false", "0"],
        description="An unticked box (faux, false, 0) is only a withdrawal where [consents.<name>] itself lists it.",
    )
    pending: list[str] = ["en attente", "pending"]
    newest_by: Literal["time", "name"] = Field("time", description="Which of several files is the newest.")
    marker: str = Field("", description='Ends the name of a file that says another is whole: ".done" for "a.csv.done".')
    final_newline: bool = Field(False, description="Whether the last line always ends: one that does not is cut off.")
    trailer: str = Field("", description="The first cell of a last line that holds the number of rows.")
    trailer_count: int = Field(2, ge=1, description="In which of that line's columns the number stands.")
    max_age_hours: float | None = Field(None, gt=0, description="An older file is not believed; none: any age is.")
    may_be_empty: bool = Field(False, description="Whether a file without rows is believed.")
    rows: Literal["changed", "whole", "none"] = Field(
        "changed", description="Corrections: key and changed columns, or all; none: they are only told, never written."
    )
    formulas: Literal["refuse", "keep"] = Field(
        "refuse", description="What a spreadsheet would run is not written, or is as it is (CSV for programs)."
    )

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"not a time zone{suggestion(value, sorted(available_timezones()))}")
        return value

    @field_validator("currency")
    @classmethod
    def _is_a_currency(cls, value: str) -> str:
        if value and value not in DIGITS:
            raise ValueError("not a currency; allowed: a code of ISO 4217, as EUR")
        return value

    @field_validator("yes", "no", "pending")
    @classmethod
    def _are_words(cls, value: list[str]) -> list[str]:
        if not value or any(word != word.strip().lower() or not word for word in value):
            raise ValueError("not words; allowed: words in lower case without outer blanks")
        return value

    @property
    def withdrawals(self) -> list[str]:
        """The words that take a permission back: who never ticked a box has not, unless the table itself says so."""
        return self.no if "no" in self.model_fields_set else [word for word in self.no if word not in UNTICKED]


class Columns(Section):
    """What every table has."""

    key: Header = Field(description="The record's key in the retailer's own system.")
    updated_at: Header | None = None
    removed: Header | None = Field(None, description="Says yes where the record is gone.")


class ItemColumns(Columns):
    """Of `[items.<name>.columns]`."""

    sku: Header | None = Field(None, description="Where nothing is said the key is the SKU.")
    gtin: Header | None = None
    title: Header | None = None
    option_title: Header | None = None
    category: Header | None = None
    published: Header | None = Field(None, description="Says no where the item is not sold at the moment.")
    is_kit: Header | None = None
    is_tracked: Header | None = None
    tax_rate: Header | None = Field(None, description="In per cent.")
    cost: Header | None = Field(None, description="Net.")
    currency: Header | None = None


class PriceColumns(Columns):
    """Of `[prices.<name>.columns]`."""

    amount: Header
    compare_at: Header | None = None
    price_list: Header | None = None
    currency: Header | None = None
    tax_rate: Header | None = None


class StockColumns(Columns):
    """Of `[stock.<name>.columns]`."""

    location: Header | None = None
    on_hand: Header | None = None
    available: Header | None = None


class CustomerColumns(Columns):
    """Of `[customers.<name>.columns]`."""

    first_name: Header | None = None
    last_name: Header | None = None
    email: Header | None = None
    phone: Header | None = None
    street: Header | None = None
    city: Header | None = None
    postcode: Header | None = None
    country: Header | None = None
    card: Header | None = None
    loyalty_points: Header | None = None
    birth_date: Header | None = None
    created_at: Header | None = None


class ConsentColumns(Columns):
    """Of `[consents.<name>.columns]`."""

    email: Header
    state: Header = Field(description="Holds one of the words yes, no and pending.")
    changed_at: Header | None = None
    proof: Header | None = Field(None, description="Says yes where a double opt-in is kept.")
    audience: Header | None = None


class Table(Form):
    """One table: a file, or the newest of several, and what its columns are."""

    file: str = Field(min_length=1, description="A name or a pattern (*, ?), in a folder of the drops.")
    changes: str = Field("", description="Files with what changed since, laid over it in the order of their times.")
    columns: Columns

    @field_validator("file", "changes")
    @classmethod
    def _stays_inside(cls, value: str) -> str:
        if value.startswith("/") or ".." in value or "\\" in value:
            raise ValueError("not a path inside the folder; allowed: names and patterns with / between them, no ..")
        return str(PurePosixPath(value)) if value else ""


class Items(Table):
    """One `[items.<name>]`."""

    columns: ItemColumns


class Prices(Table):
    """One `[prices.<name>]`."""

    price_list: str = Field("", description="Which list these are the prices of; where no column says it: base.")
    columns: PriceColumns


class Stock(Table):
    """One `[stock.<name>]`."""

    location: str = Field("", description="Of all rows, where no column and no {location} in the file name says it.")
    columns: StockColumns


class Customers(Table):
    """One `[customers.<name>]`."""

    country: str = Field("", description="Of records that do not say theirs: FR, CH, BE or JP.")
    columns: CustomerColumns


class Consents(Table):
    """One `[consents.<name>]`."""

    audience: str = Field("", description="Which audience these permissions are for, where no column says it.")
    columns: ConsentColumns


class Mapping(Section):
    """All of the file."""

    shop_id: str = Field(min_length=1, description="Whose drops these are; estate.toml names the same (R20).")
    out: str = Field("out", min_length=1, description="The folder for corrections, inside that of the drops.")
    settle_seconds: float = Field(2, ge=0, le=60, description="Between two looks: a file that grows is not whole.")
    defaults: Form = Field(default_factory=lambda: Form.model_validate({}))
    items: dict[str, Items] = Field(default_factory=dict)
    prices: dict[str, Prices] = Field(default_factory=dict)
    stock: dict[str, Stock] = Field(default_factory=dict)
    customers: dict[str, Customers] = Field(default_factory=dict)
    consents: dict[str, Consents] = Field(default_factory=dict)

    @field_validator("out")
    @classmethod
    def _is_a_folder_inside(cls, value: str) -> str:
        path = PurePosixPath(value)
        if path.is_absolute() or not path.parts or ".." in path.parts or "\\" in value:
            raise ValueError("not a folder inside that of the drops; allowed: a name, as out")
        return str(path)

    def tables(self, entity: str) -> dict[str, Table]:
        """The tables of one entity, by name."""
        found: dict[str, Table] = getattr(self, entity)
        return found


COUNTERS = ("on_hand", "loyalty_points")
"""Columns that are read and never written: what was sold until a file is imported would be undone."""
PLACES = {"prices": "price_list", "stock": "location", "consents": "audience"}
"""What besides the key names a row of an entity: a column, a word of the table, or a part of the file's name."""


def headers_of(columns: Columns) -> list[tuple[str, list[str]]]:
    """Our names of the columns that are mapped, each with the headers that it may have."""
    found = []
    for name in type(columns).model_fields:
        header: Header | None = getattr(columns, name)
        if header is not None:
            found.append((name, [header] if isinstance(header, str) else header))
    return found
