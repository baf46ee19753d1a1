"""Days and times that do not exist, exist twice, or overflow: through composer and editor."""

import datetime as dt
import uuid
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from ambassadors.models import Person
from campaigns import wallclock
from campaigns.models import Delivery, Suggestion
from campaigns.views import composer
from integrations import accounts

from .corpus import cases, value

pytestmark = pytest.mark.django_db
NO_DOOR = {
    "datetime-004": "nothing repeats yet", "datetime-005": "nothing repeats yet",
    "datetime-020": "no list is imported yet", "datetime-022": "no list is imported yet",
    "datetime-026": "no report has a span yet",
}  # fmt: skip


@pytest.fixture
def plan(suggestion, jona, monkeypatch):
    """Set a post for a moment as the composer's form does, on a day before all cases."""

    def send(at, zone="Europe/Berlin", now=dt.datetime(2026, 1, 20, 9, tzinfo=dt.UTC)):
        Person.objects.filter(pk=jona.pk).update(timezone=zone)
        monkeypatch.setattr(composer.timezone, "now", lambda: now)
        wall = accounts.connect_wall(person=jona, now=now)
        client = Client()
        client.force_login(jona)
        return client.post(f"/suggestions/{suggestion.pk}/", {
            "variant": suggestion.variant_set.get().pk, "submission": str(uuid.uuid4()), "act": "share",
            "text": "I stood below turbine 9.", "to": [wall.pk], "when": "pick", "at": at,
        }, follow=True)  # fmt: skip

    return send


@pytest.fixture
def edit(person, topic):
    """Save a suggestion with an end as the editor's form does; returns answer and stored end."""
    client = Client()
    client.force_login(person("Mirja", "curator"))

    def save(expires_at, embargo_until=""):
        answer = client.post("/desk/suggestions/new/", {
            "topic": topic.pk, "title": "Ends", "language": "en", "tone": "useful",
            "content_class": "employer_brand", "revision": 0, "act": "save", "v_name": "One", "v_id": "",
            "v_text": "Words [yours].", "v_language": "en", "v_network": "",
            "expires_at": expires_at, "embargo_until": embargo_until,
        }, follow=True)  # fmt: skip
        row = Suggestion.objects.filter(title="Ends").first()
        return answer, row and row.expires_at

    return save


def due():
    row = Delivery.objects.first()
    return row and row.due_at


def before(moment):
    """Some weeks earlier: nothing is planned more than 90 days ahead."""
    return moment - dt.timedelta(days=30)


@pytest.mark.parametrize("case", cases("datetime"))
def test_moment_of_the_corpus(case, plan, edit):
    if case["id"] in NO_DOOR:
        pytest.skip(NO_DOOR[case["id"]])
    given = value(case)
    local = given.get("local") if isinstance(given, dict) else given
    match case["id"]:
        case "datetime-001" | "datetime-002":
            moment = dt.datetime.fromisoformat(case["stored"])
            answer = plan(local, now=before(moment))
            assert due() == moment
            assert ("skip" if case["id"] == "datetime-001" else "twice") in answer.content.decode()
            answer, ends = edit(local)
            assert ends == moment
            assert ("skip" if case["id"] == "datetime-001" else "twice") in answer.content.decode()
        case "datetime-007":
            moment = dt.datetime(2026, 7, 1, 3, 15, tzinfo=dt.UTC)
            plan(local, given["tz"], now=before(moment))
            assert due() == moment
        case "datetime-017":
            moment = dt.datetime(2026, 6, 1, 8, 0, tzinfo=dt.UTC)
            page = plan(local, now=before(moment))
            assert due() == moment
            assert page.status_code == 200
            assert "Europe/Berlin" in plan("never").content.decode()
        case "datetime-019":
            assert Person(timezone=given["tz"]).zone == ZoneInfo("Europe/Berlin")
            moment = dt.datetime(2026, 6, 1, 8, 0, tzinfo=dt.UTC)
            assert plan(local, given["tz"], now=before(moment)).status_code == 200
        case "datetime-023":
            answer, ends = edit(given["expires_at"][:16], given["scheduled_at"][:16])
            assert (answer.status_code, ends) == (422, None)
        case "datetime-025":
            moment = dt.datetime(2026, 6, 1, 8, 0, 0, 123456, tzinfo=dt.UTC)
            plan(local, now=before(moment))
            assert due() == moment
        case "datetime-016":  # an end in the past is allowed: that is how a suggestion is over
            answer = plan(local)
            assert (answer.status_code, due(), 'id="at-e"' in answer.content.decode()) == (
                422,
                None,
                True,
            )
        case _:
            answer = plan(local)
            assert (answer.status_code, due(), 'id="at-e"' in answer.content.decode()) == (
                422,
                None,
                True,
            )
            answer, ends = edit(local)
            assert (answer.status_code, ends, 'class="error"' in answer.content.decode()) == (
                422,
                None,
                True,
            )


def test_both_nights_of_every_zone_are_read_without_an_error():
    zone = ZoneInfo("Europe/Berlin")
    for day in ("2026-03-29", "2026-10-25"):
        read = [
            wallclock.read(f"{day}T{hour:02}:{minute:02}", zone)
            for hour in range(24)
            for minute in (0, 30)
        ]
        assert (
            sorted(moment.at for moment in read) == [moment.at for moment in read]
            or day == "2026-03-29"
        )
        assert sum(bool(moment.note) for moment in read) == 2


def test_nine_o_clock_stays_nine_o_clock_over_both_changes():
    zone = ZoneInfo("Europe/Berlin")
    sundays = [dt.date(2026, 3, 22) + dt.timedelta(weeks=n) for n in range(36)]
    read = [wallclock.read(f"{day}T09:00", zone).at.astimezone(zone) for day in sundays]
    assert {moment.strftime("%H:%M") for moment in read} == {"09:00"}
    assert timezone.is_aware(read[0])
