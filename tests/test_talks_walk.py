"""In a browser: a stranger asks for a talk, a speaker says yes, a calendar reads when."""

import datetime as dt
import os
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.utils import timezone
from icalendar import Calendar

from ambassadors import memberships
from reception import stamps, talk_mails
from reception.models import TalkRequest

from .test_loop import DESKTOP, PHONE, Visitor, chromium  # noqa: F401 - a fixture
from .test_speakers import expert, team  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def visit(chromium, live_server, monkeypatch, settings):
    cache.clear()
    settings.SITE_URL = live_server.url
    monkeypatch.setattr(stamps, "YOUNGEST", dt.timedelta(0))  # a browser types faster than people

    def begin(who=None):
        made = Visitor(chromium, live_server.url, DESKTOP)
        if who:
            made.login(who)

        def look(url, name):
            """Both widths, nothing wider than the page, no violation."""
            if url:
                made.page.goto(live_server.url + url)
            for size in (PHONE, DESKTOP):
                made.page.set_viewport_size(size)
                made.check()
                if folder := os.environ.get("SHOTS"):
                    path = Path(folder) / f"{name}-{size['width']}.png"
                    made.page.screenshot(path=path, full_page=True)

        made.look = look
        return made

    return begin


def test_talk_is_asked_for_booked_and_read_by_a_calendar(visit, expert, team, chromium, settings):
    ayla = expert()
    stranger = visit()
    stranger.look("/speakers/", "speakers")
    stranger.page.get_by_role("link", name="A town heats with its river").click()
    stranger.look("", "talk")
    stranger.page.get_by_role("link", name="Ask for this talk").click()
    stranger.page.get_by_role("button", name="Send the request").click()
    stranger.page.get_by_role("alert").wait_for()
    stranger.look("", "ask-refused")
    day = timezone.localdate() + dt.timedelta(days=40)
    for label, text in (
        ("Event", "Grid day"),
        ("Day and time", f"{day}T18:00"),
        ("Where it is", "Town hall"),
        ("Your name", "Gesa Lorenz"),
        ("Your e-mail", "gesa@club.example"),
    ):
        stranger.page.get_by_label(label, exact=True).fill(text)
    stranger.page.get_by_role("button", name="Send the request").click()
    stranger.page.get_by_role("heading", name="We are looking for somebody").wait_for()
    stranger.look("", "asked")

    speaker = visit(ayla)
    speaker.page.goto(f"{speaker.base}/me/speaking/")
    speaker.page.get_by_role("button", name="Set it up").click()
    name, password = (speaker.page.get_by_label(of).input_value() for of in ("Name", "Password"))
    program = chromium.new_context(http_credentials={"username": name, "password": password})
    file = program.request.get(speaker.page.get_by_label("Address").input_value())
    assert (file.status, file.text()[:15]) == (200, "BEGIN:VCALENDAR")
    settings.SECRET_ADDRESSES = True
    speaker.look("/me/speaking/", "speaking")
    speaker.page.get_by_text("My program asks for no password").click()
    speaker.look("", "speaking-secret")
    speaker.page.get_by_role("link", name="Grid day").click()
    speaker.look("", "offer")
    speaker.page.get_by_role("button", name="Yes, I speak").click()
    speaker.page.get_by_role("heading", name="Preparation").wait_for()
    speaker.look("", "booked")
    for url, name in (
        ("/me/speaking/profile/", "profile"),
        ("/me/speaking/talks/new/", "talk-new"),
        ("/experts/", "experts"),
    ):
        speaker.look(url, name)

    lead = visit(team.lead)
    lead.look("/talks/", "requests")
    lead.look(f"/talks/{TalkRequest.objects.get().pk}/", "request-lead")
    lead.page.get_by_role("link", name="Speaker sheet").click()
    lead.look("", "sheet")

    link = talk_mails.page_of_asker(TalkRequest.objects.get())
    stranger.page.goto(link)
    stranger.page.get_by_role("heading", name="Ayla Demir comes").wait_for()
    assert stranger.page.url == link.partition("#")[0]
    stranger.look("", "asked-booked")
    with stranger.page.expect_download() as file:
        stranger.page.get_by_role("button", name="Into my calendar").click()
    (event,) = Calendar.from_ical(Path(file.value.path()).read_bytes()).events
    begins = event.start.astimezone(ZoneInfo("Europe/Berlin"))
    assert (f"{begins:%Y-%m-%d %H:%M}", event["LOCATION"]) == (f"{day} 18:00", "Town hall")

    memberships.leave_company(person=ayla, by=None, now=timezone.now())
    stranger.page.goto(link)
    stranger.page.get_by_role("heading", name="The speaker changes").wait_for()
    assert "Ayla" not in stranger.page.content()
    stranger.page.goto(f"{stranger.base}/speakers/")
    assert "Ayla" not in stranger.page.content()
    assert stranger.context.cookies() == []
    assert [who.trouble for who in (stranger, speaker, lead)] == [[], [], []]
