"""docs/limits.md says what the code says: each figure beside the line that it stands in."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/limits.md").read_text()
QUOTE = re.compile(r"`([\w./-]+)`: `([^`]+)`")


def test_every_figure_stands_in_its_line_of_code():
    quotes = QUOTE.findall(PAGE)
    assert len(quotes) > 50
    assert [
        (path, line)
        for path, line in quotes
        if " ".join(line.split()) not in " ".join((ROOT / path).read_text().split())
    ] == []


def test_every_row_of_a_limit_names_its_line():
    parts = PAGE.split("## Hosts")[0].splitlines()
    rows = [line for line in parts if line.startswith("| ") and not line.startswith("| w")]
    assert [row[:60] for row in rows if not QUOTE.search(row)] == []


def test_every_network_and_every_address_of_the_settings_is_named():
    hosts = PAGE.split("## Hosts")[1]
    fixed = {
        host
        for path in (ROOT / "integrations/networks").glob("*.py")
        for host in re.findall(r'"https://((?:api|graph)\.[\w.]+)', path.read_text())
    }
    settings = (ROOT / "advocacy/settings.py").read_text()
    fixed |= set(re.findall(r'_URL", "https://([\w.-]+)', settings)) - {""}
    assert {host for host in fixed if host not in hosts} == set()
    assert len(fixed) >= 8
