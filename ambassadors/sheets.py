"""Rows for spreadsheets: text that no programme takes for a formula, line by line."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence

# What spreadsheet programmes may take for the beginning of a formula, full-width forms included.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(value: object) -> str:
    """A value as a spreadsheet may read it: text, never a formula."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def lines(rows: Iterable[Sequence[str]], *, german: bool = False) -> Iterator[bytes]:
    """CSV in UTF-8, one piece for each row, so that nothing large is held.

    ``german``: with a byte-order mark and semicolons, as Excel in German opens it by a double
    click.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if german else ",", quoting=csv.QUOTE_ALL)
    if german:
        out.write("\ufeff")
    for row in rows:
        writer.writerow([cell(text) for text in row])
        yield out.getvalue().encode()
        out.seek(0)
        out.truncate()
