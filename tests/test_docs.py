"""Pages of docs/: all in the navigation, no link into nothing, nothing from other hosts."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from django.utils import translation

from advocacy import input_rules, register
from ambassadors import takeout
from integrations import matrix

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
# Pages of the root that the site takes along (docs/site/hooks.py).
OUTSIDE = {"CHANGELOG.md", "CONTRIBUTING.md"}
LINK = re.compile(r"(?<!\\)(!?)\[[^\]]*\]\(([^)\s]+)\)")


def prose(path):
    """The page without what stands in code."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.S | re.M)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(path):
    """As Python-Markdown names headings."""
    found = set()
    for heading in re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", path.read_text(), flags=re.S | re.M), re.M
    ):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
        name = re.sub(r"[^\w\s-]", "", plain.encode("ascii", "ignore").decode()).strip().lower()
        found.add(re.sub(r"[-\s]+", "-", name))
    return found


def pages_of(nav):
    for entry in nav:
        for inside in entry.values() if isinstance(entry, dict) else [entry]:
            yield from pages_of(inside) if isinstance(inside, list) else [inside]


def test_every_page_is_in_the_navigation_once():
    named = list(pages_of(yaml.safe_load((DOCS / "site" / "mkdocs.yml").read_text())["nav"]))
    assert sorted(named) == sorted({str(page.relative_to(DOCS)) for page in PAGES} | OUTSIDE)


@pytest.mark.parametrize(
    "page", [*PAGES, *(ROOT / name for name in ("README.md", *sorted(OUTSIDE)))], ids=lambda page: page.name
)  # fmt: skip
def test_links_lead_somewhere(page):
    wrong = []
    for _picture, target in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.is_file() or (anchor and anchor not in anchors(there)):
            wrong.append(target)
    assert wrong == []


def test_pages_lead_out_of_docs_only_to_what_the_site_takes_along():
    leads = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for _picture, target in LINK.findall(prose(page))
        if not re.match(r"[a-z]+:|#", target)
    }
    outside = {path for path in leads if not path.is_relative_to(DOCS)}
    assert outside <= {ROOT / name for name in OUTSIDE}


class Assets(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.found += [told[name] for name in ("src", "srcset", "poster", "data") if name in told]
        if tag == "link":
            self.found.append(told.get("href"))


def foreign(text):
    """What a page or a style would fetch from another host."""
    assets = Assets()
    assets.feed(text)
    found = [
        *assets.found,
        *re.findall(r"url\(\s*[\"']?([^\"')]+)", text),
        *re.findall(r"@import\s+[\"']([^\"']+)", text),
    ]
    return [one for one in found if re.match(r"(?:[a-z]+:)?//", one or "")]


def test_no_page_and_no_look_fetches_from_another_host():
    for page in PAGES:
        pictures = [target for picture, target in LINK.findall(prose(page)) if picture]
        assert [one for one in pictures if re.match(r"(?:[a-z]+:)?//", one)] == [], page
        assert foreign(prose(page)) == [], page
    for path in (DOCS / "site" / "look").iterdir():
        if path.suffix in {".html", ".css", ".js"}:
            assert foreign(path.read_text()) == [], path
            assert not re.search(r"https?://", path.read_text()), path


def test_pictures_are_small_and_used():
    text = "".join(page.read_text() for page in [*PAGES, ROOT / "README.md"])
    pictures = list((DOCS / "pictures").iterdir())
    assert [one.name for one in pictures if f"pictures/{one.name}" not in text] == []
    assert [one.name for one in pictures if one.stat().st_size > 120_000] == []


@pytest.mark.parametrize("language", register.FILES)
def test_register_of_processing_is_current(language):
    with translation.override(language):
        assert (
            DOCS / "data-protection" / register.FILES[language]
        ).read_text() == register.markdown()


def test_rules_of_input_are_current():
    page = (DOCS / input_rules.PAGE).read_text()
    assert page == input_rules.written(page)


def test_every_room_with_tables_about_people_has_its_activity_in_the_register():
    rooms = {table.model._meta.app_label for table in takeout.tables()}
    assert rooms - {"account", "mfa", "socialaccount"} == set(register.ACTIVITIES)


def test_table_of_networks_is_current():
    assert (DOCS / "networks.md").read_text() == matrix.markdown()
