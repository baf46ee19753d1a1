"""Rows for spreadsheets: text that no programme takes for a formula, line by line."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

# What spreadsheet programmes may take for the beginning of a formula, full-width forms included.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_UNSEEN = "\u200b\ufeff"  # no blanks for Python, and nothing for the eye


def cell(value: object) -> str:
    """A value as a spreadsheet may read it: text, never a formula; a number stays one."""
    if not isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return text if isinstance(value, int | float) else cell(text)
    seen = value.lstrip().lstrip(_UNSEEN).lstrip()
    return f"'{value}" if value.startswith(_FORMULA) or seen.startswith(_FORMULA) else value


def lines(
    rows: Iterable[Sequence[object]], *, german: bool = False, mark: bool = False
) -> Iterator[bytes]:
    """CSV in UTF-8, one piece for each row, so that nothing large is held.

    ``mark``: with a byte-order mark, which tells spreadsheets that it is UTF-8. ``german``: with
    it and semicolons, as Excel in German opens it by a double click.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if german else ",", quoting=csv.QUOTE_ALL)
    if german or mark:
        out.write("\ufeff")
    for row in rows:
        writer.writerow([cell(value) for value in row])
        yield out.getvalue().encode()
        out.seek(0)
        out.truncate()


def download(
    rows: Iterable[Sequence[object]], *, name: str, german: bool = False, mark: bool = False
) -> StreamingHttpResponse:
    """The answer with these lines as a file ``name``.csv; the name is ASCII."""
    answer = StreamingHttpResponse(
        lines(rows, german=german, mark=mark), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer
