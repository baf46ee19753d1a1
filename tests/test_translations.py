"""Every sentence of the code has its German one."""

import re
from pathlib import Path

from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]


def catalog():
    with (ROOT / "locale/de/LC_MESSAGES/django.po").open("rb") as file:
        return read_po(file, locale="de")


def test_no_translation_is_missing_or_doubtful():
    missing = []
    for message in catalog():
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and (message.fuzzy or not all(strings)):
            missing.append(message.id)
    assert missing == []


def test_every_sentence_of_the_templates_is_known():
    known = {i for m in catalog() for i in (m.id if isinstance(m.id, tuple) else (m.id,))}
    used = set()
    for path in (ROOT / "templates").rglob("*.html"):
        used |= set(re.findall(r"{% translate \"([^\"]+)\"", path.read_text()))
        used |= set(re.findall(r"{% translate '([^']+)'", path.read_text()))
    assert {
        text for text in used if text not in known and text.replace("%", "%%") not in known
    } == set()


def test_the_people_department_has_one_german_name():
    """*Die Personalabteilung* in a sentence; *Personal* only where roles stand in a list."""
    said = {
        text
        for message in catalog()
        for text in (message.string if isinstance(message.string, tuple) else (message.string,))
    }
    assert {text for text in said if re.search(r"\bHR\b", text)} == set()
    assert {text for text in said if re.search(r"\bPersonal\b.*\.", text)} == set()
