"""Every table has one level of protection, and what the levels promise is tried (ASVS 14.1, 14.2.4)."""

import re
from pathlib import Path

from django.apps import apps
from django.db import models

from ambassadors import takeout

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/data-protection/levels.md").read_text()
LEVELS = ("secret", "confidential", "personal", "internal", "open")


def levels():
    """The level of each table, by its name with its room."""
    part = PAGE.split("## Which table has which level")[1]
    for level, told in re.findall(r"^\| (\w+) \| (\w+: .+) \|$", part, re.MULTILINE):
        for room in told.split("; "):
            name, _colon, tables = room.partition(": ")
            yield from ((f"{name}.{table}", level) for table in tables.split(", "))


def test_every_table_has_one_level():
    found = list(levels())
    tables = {f"{model._meta.app_label}.{model.__name__}" for model in apps.get_models()}
    assert sorted(name for name, _level in found) == sorted(tables)
    assert {level for _name, level in found} == set(LEVELS)


def test_sealed_columns_stand_in_tables_that_are_secret():
    known = dict(levels())
    sealed = {
        f"{model._meta.app_label}.{model.__name__}"
        for model in apps.get_models()
        for field in model._meta.local_fields
        if field.name in {"sealed", "secret", "token_hash", "key_hash"}
    }
    assert sealed
    assert {name for name in sealed if known[name] != "secret"} == set()


def test_what_goes_with_a_person_is_never_called_internal():
    """A table whose rows go when their person is erased is about that person."""
    known = dict(levels())
    person = apps.get_model("ambassadors", "Person")
    gone = {
        f"{model._meta.app_label}.{model.__name__}"
        for model in apps.get_models()
        for field in model._meta.local_fields
        if field.related_model is person and field.remote_field.on_delete is models.CASCADE
    }
    assert len(gone) > 20
    assert {name for name in gone if known[name] in {"internal"}} == set()
    assert {
        f"{t.model._meta.app_label}.{t.model.__name__}" for t in takeout.tables()
    } <= known.keys()


def test_files_that_show_a_level_are_there():
    row = next(line for line in PAGE.splitlines() if line.startswith("| shown by"))
    paths = re.findall(r"`(tests/\w+\.py)`", row)
    assert [path for path in paths if not (ROOT / path).is_file()] == []


def test_scripts_keep_in_the_browser_only_what_the_page_says():
    """Sealed words, the switch of the device, small choices: these names and no other (14.3.3)."""
    text = "".join(path.read_text() for path in sorted((ROOT / "static/js").glob("*.js")))
    [written] = re.findall(r"document\.cookie = (.*)", text)
    assert written.startswith("`${tls ? '__Host-' : ''}theme=")
    assert written.endswith("${tls ? ';secure' : ''}`;")
    opened = set(re.findall(r"indexedDB\.open\('(\w+)'", text)) | set(
        re.findall(r"caches\.open\((\w+)\)", text)
    )
    assert opened == {"botschaft", "FILES", "PAGES"}
    kept = re.findall(r"setItem\((.+?), ", text)  # words under a seal; signs, and a choice of keys
    assert sorted(kept) == ["'device'", "'push'", "`sealed:${name}`", "k", "sent"]
    assert set(re.findall(r"store\.set\(('\w+')", text)) == {"'keys'"}
    assert '"historyCacheSize":0' in (ROOT / "templates/parts/head.html").read_text()
