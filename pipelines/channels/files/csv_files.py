"""CSV: bytes to a sheet and back, by Python's own reader, which says on which line of the file a row begins.

A line with more or fewer columns than the header tells of a text that is not quoted, or of a file that was cut off;
which of its cells is the key is then anybody's guess, so nothing of the file is believed. Blank lines are none.
"""

import csv
import io
from collections.abc import Sequence

from pipelines.channels.files.mapping import Table
from pipelines.channels.files.sheet import Line, Sheet, broken, is_trailer, located, without_trailer

csv.field_size_limit(1024 * 1024)


def read_csv(name: str, content: bytes, table: Table) -> Sheet:
    """A whole file as a sheet; FatalChannelError for what is not one."""
    text = _decoded(name, content, table)
    if table.final_newline and not text.endswith(("\n", "\r")):
        raise broken(name, None, "its last line has no end: cut off? ask for it anew")
    newline = "\r\n" if "\r\n" in text[:100_000] else "\n"
    skipped, body = _split(text, max(0, table.header_row - 1))
    reader = csv.reader(
        io.StringIO(body, newline=""), delimiter=table.delimiter, strict=True,
        quotechar=table.quote or None, quoting=csv.QUOTE_MINIMAL if table.quote else csv.QUOTE_NONE,
    )
    header: tuple[str, ...] | None = None
    lines: list[Line] = []
    end = len(skipped)
    try:
        for cells in reader:
            number, end = end + 1, len(skipped) + reader.line_num
            row = tuple(cells)
            if not any(cell.strip() for cell in row):
                continue
            if header is None and table.header_row:
                header = row
                continue
            header = header or tuple(f"#{place}" for place in range(1, len(row) + 1))
            if lines and is_trailer(lines[-1].cells, table):
                raise broken(name, number, "a line after the one that counts the rows; ask for the file anew")
            lines.append(Line(number, row if is_trailer(row, table) else _of_width(name, number, row, header)))
    except csv.Error as error:
        cut = "unexpected end of data" in str(error)
        words = "a text that is not closed: cut off? ask for it anew" if cut else "a quote in a quoted text; double it"
        raise broken(name, end + 1, words) from error
    if header is None:
        raise broken(name, None, "it holds no line")
    return Sheet(
        name, header, without_trailer(name, lines, table), tuple(skipped), newline,
        columns=located(name, header, table),
    )


def write_csv(sheet: Sheet, header: Sequence[str], rows: Sequence[Sequence[str]], table: Table) -> bytes:
    """Rows in the shape of `sheet`: its encoding, quotes, lines above the header, and trailer.

    UnicodeEncodeError for a character that the encoding does not have; csv.Error for one that needs a quote where
    the mapping has none.
    """
    target = io.StringIO(newline="")
    writer = csv.writer(
        target, delimiter=table.delimiter, lineterminator=sheet.newline, quotechar=table.quote or None,
        quoting=csv.QUOTE_MINIMAL if table.quote else csv.QUOTE_NONE,
    )
    target.writelines(f"{line}{sheet.newline}" for line in sheet.preamble)
    if table.header_row:
        writer.writerow(header)
    writer.writerows(rows)
    if table.trailer:
        last = [table.trailer, *[""] * (max(len(header), table.trailer_count) - 1)]
        last[table.trailer_count - 1] = str(len(rows))
        writer.writerow(last)
    return target.getvalue().encode(table.encoding)


def _decoded(name: str, content: bytes, table: Table) -> str:
    encoding = "utf-8-sig" if table.encoding == "utf-8" else table.encoding
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = f"0x{content[error.start]:02X}" if error.start < len(content) else "the end"
        seen = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252 or utf-8"
        raise broken(name, line, f"{byte} is not {table.encoding}; is its encoding {seen}?") from error


def _split(text: str, count: int) -> tuple[list[str], str]:
    """The first `count` lines, without their ends, and the rest."""
    skipped = []
    for _ in range(count):
        line, end, text = text.partition("\n")
        skipped.append(line.removesuffix("\r"))
        if not end:
            break
    return skipped, text


def _of_width(name: str, number: int, row: tuple[str, ...], header: tuple[str, ...]) -> tuple[str, ...]:
    """The row without the blank cells that some programs put at the end of a line."""
    width = len(header)
    if len(row) > width and not any(cell.strip() for cell in row[width:]):
        row = row[:width]
    if len(row) != width:
        words = f"{len(row)} columns where the header has {width}: a text without quotes, or cut off"
        raise broken(name, number, words)
    return row
