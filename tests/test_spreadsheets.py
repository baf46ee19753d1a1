"""No file for spreadsheets holds a formula, whatever stands in names and texts (G20)."""

import ast
import csv
import io
import os
import zipfile
from pathlib import Path

import pytest

from ambassadors import sheets
from ambassadors.models import Person, Role
from campaigns.models import Evidence, Post

from .conftest import browser
from .corpus import cases, value
from .foreign import nordwind, poison

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[1]
FORMULAS = [
    "=1+1", "+1+1", "-1+1", "@SUM(1)", "=cmd|' /C calc'!A0", "\t=1", "\r=1+1", "\n=1+1", "＝1+1", "＋1", "－1",
    "＠x", " =1+1", "=HYPERLINK(\"http://evil.example\")", "\u00a0=1", "\u200b=1", "-5", ";=1+1", "\",=1+1",
]  # fmt: skip
FIRST = set("=+-@\t\r\n＝＋－＠")


def active(cell):
    """Whether a spreadsheet may take it for a formula; a number is none."""
    try:
        float(cell)
    except ValueError:
        return cell[:1] in FIRST or cell.strip(" \u00a0\u200b\ufeff\t\r\n")[:1] in FIRST
    return False


def rows_of(content, separator=","):
    return list(
        csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=separator)
    )


def body(answer):
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return answer.getvalue()


def test_one_place_writes_files_for_spreadsheets():
    found = {
        str(path.relative_to(ROOT))
        for room in ("advocacy", "ambassadors", "campaigns", "curation", "integrations", "people", "reception")
        for path in (ROOT / room).rglob("*.py")
        if "nordwind" not in path.name
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr in {"writer", "DictWriter"} and ast.unparse(node.value) == "csv")
        or (isinstance(node, ast.Constant) and "text/csv" in str(node.value))
    }  # fmt: skip
    # the takeout writes JSON, a page and a sheet of each table at once, with the same cells
    assert found == {"ambassadors/sheets.py", "advocacy/takeout.py"}


@pytest.mark.parametrize("number", [-5, -0.5, 0, 12])
def test_number_stays_a_number(number):
    assert sheets.cell(number) == str(number)


def files(people):
    """Every file for spreadsheets that there is, by name, with its separator."""
    hr, reader, author = people
    for how, sign in (("", ","), ("excel", ";")):
        for who, name in (
            (hr, "roster"),
            (hr, "roster/coverage"),
            (reader, "analytics"),
            (author, "me/effect"),
        ):
            yield (
                f"{name.replace('/', '-')}-{how or 'plain'}",
                sign,
                body(browser(who).post(f"/{name}/export/", {"as": how})),
            )
    quarter = Evidence.objects.latest("pk").left_at
    form = {
        "act": "csv",
        "quarter": f"{quarter.year}-{(quarter.month + 2) // 3}",
        "why": "A question of the regulator.",
    }
    yield "evidence", ",", body(browser(reader).post("/evidence/", form))
    answer = browser(author).post("/me/data/")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    for name in archive.namelist():
        if name.endswith(".csv"):
            yield Path(name).stem, ",", archive.read(name)


def test_no_cell_of_any_file_is_a_formula(person):
    nordwind()
    Role.objects.filter(name="legal").delete()
    reader = person("Alva Brandt", "administrator", "hr", "auditor", "legal")
    author = Person.objects.get(
        pk=Post.objects.values_list("person", flat=True).order_by("person").first()
    )
    done, _kept = poison(
        [*FORMULAS, *(value(p.values[0]) for p in cases("csv_export") if p.values[0])]
    )
    found = list(files((reader, reader, author)))
    wrong, cells, guarded = [], 0, 0
    for name, separator, content in found:
        if folder := os.environ.get("SHEETS"):
            (Path(folder) / f"{name}.csv").write_bytes(content)
        for row in rows_of(content, separator):
            cells += len(row)
            guarded += sum(cell.startswith("'") for cell in row)
            wrong += [(name, cell) for cell in row if active(cell)]
    print(
        f"\n{len(FORMULAS)} formulas in {len(done)} columns: {len(found)} files, {cells} cells, {guarded} guarded, {len(wrong)} active"
    )
    assert (wrong, guarded > 100) == ([], True)
