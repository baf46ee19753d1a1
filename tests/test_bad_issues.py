"""The corpus of strange texts and times at the doors of issues, topics and lights: never a 5xx."""

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import Briefing, Topic

from .corpus import cases, value

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(person):
    made = Client()
    made.force_login(person("Mirja", "curator"))
    return made


def tomorrow():
    return timezone.now().date() + dt.timedelta(days=2)


def as_text(case):
    found = value(case)
    return found if isinstance(found, str) else str(found)


@pytest.mark.parametrize("case", cases("text"))
def test_strange_text_is_kept_or_refused_with_a_sentence(desk, topic, case):
    if "raw_json" in case:
        pytest.skip("a body of JSON; these doors take forms")
    text = as_text(case)
    address = f"/desk/issues/{tomorrow()}/"
    data = {"note": text, "item": [topic.pk], "item_note": [""], "revision": "0", "act": "save"}
    line = {"title": "Wind", "language": "en", "rule": "Tell it.", "say": text, "revision": "1"}
    light = {"light": "own", "seen": "share", "why": text}
    answers = [
        desk.post(address, data),
        desk.post(f"/desk/topics/{topic.pk}/", line),
        desk.post(f"/desk/topics/{topic.pk}/light/", light),
    ]
    for answer in answers:
        page = answer.content.decode()
        assert (answer.status_code, 'class="error"' in page or "flash--error" in page) in {
            (302, False),
            (422, True),
        }
    for page in ("/desk/issues/", address, f"/topics/{topic.pk}/", "/topics/", "/"):
        html = desk.get(page).content.decode()
        assert "<script>alert" not in html


@pytest.mark.parametrize("case", cases("datetime"))
def test_strange_moment_publishes_nothing_and_gets_a_sentence(desk, topic, case):
    found = value(case)
    typed = found.get("local", str(found)) if isinstance(found, dict) else str(found)
    data = {"note": "x", "item": [topic.pk], "item_note": [""], "revision": "0", "act": "save"}
    for fields in ({"publish_at": typed}, {"starts_at": typed}):
        answer = desk.post(f"/desk/issues/{tomorrow()}/", {**data, **fields})
        assert (answer.status_code, 'class="error"' in answer.content.decode()) == (422, True)
    assert (Briefing.objects.count(), Topic.objects.count()) == (0, 1)
