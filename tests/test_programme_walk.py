"""The programme in browsers: from an open call over a course with a line into a team."""

import datetime as dt
import uuid

import pytest
from django.core import mail
from django.utils import timezone

from ambassadors.models import Membership, Team, TeamKind
from people import bookings, calls, lessons, requirements, sessions, training_mails
from people.models import Call, Course, Session
from people.sessions import Terms

from .conftest import browser
from .test_loop import DESKTOP, PHONE, Visitor, chromium  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def programme(person):
    """A team with a lead and an open call, and the course it asks for, with one seat, taken."""
    now = timezone.now()
    selin, lead, ada = person("Selin Aydın", "hr"), person("Ole Brodersen"), person("Ada Brandt")
    kind = TeamKind.objects.create(
        slug="contact", behaviour="contact", name_de="Kontakter", name_en="Contacts"
    )
    team = Team.objects.create(slug="ask", name="Frag uns", kind=kind, lead=lead)
    call = calls.save(
        call=Call(), team=team, kind=None, opens_at=now - HOUR, closes_at=now + 90 * HOUR, by=selin,
        now=now, title_de="Stimmen gesucht", title_en="Voices wanted", text_de="Wir suchen.",
        text_en="We look for people who answer.", timezone="Europe/Berlin", places=None,
        submission=uuid.uuid4(),
    )  # fmt: skip
    course = Course.objects.create(
        title_de="Antworten", title_en="Answering well", language="en", how="dates", made_at=now,
        published_at=now, valid_months=24, about_en="## What we do\n\n- *ask back*",
    )  # fmt: skip
    requirements.ask(course=course, team=team, kind=None, by=selin, now=now)
    begins = now + dt.timedelta(days=3)
    terms = Terms(begins, begins + 2 * HOUR, "Europe/Berlin", 1, room="Deichstube", trainer=lead)
    date = sessions.plan(course=course, terms=terms, by=selin, now=now)
    seat = bookings.book(session=date, by=ada, now=now)
    return selin, lead, call, course, date, seat


def test_call_application_line_course_and_active(chromium, live_server, programme, jona):
    selin, lead, call, _course, date, seat = programme
    base = live_server.url
    mine = Visitor(chromium, base, PHONE)
    desk = Visitor(chromium, base, DESKTOP)
    mine.login(jona)
    desk.login(selin)

    mine.page.goto(f"{base}/calls/{call.slug}/")
    mine.check()
    mine.page.locator("#why").fill("I like to answer, and I say so when I do not know.")
    mine.page.get_by_role("button", name="Put me forward").click()
    mine.page.get_by_text("Is with HR and the lead", exact=True).wait_for()

    desk.page.goto(f"{base}/people/calls/{call.pk}/")
    desk.check()
    desk.page.get_by_role("button", name="Offer a place").click()
    desk.page.get_by_text("Invited. Jona Harms decides.").wait_for()

    mine.page.goto(f"{base}/me/teams/")
    mine.page.get_by_role("button", name="I am in").click()
    mine.page.goto(f"{base}/training/")
    mine.check()
    needs = mine.page.get_by_role("region", name="What your team asks for")
    needs.get_by_role("link", name="Answering well").click()
    mine.check()
    mine.page.get_by_role("button", name="Stand in the line").click()
    mine.page.get_by_text("You are the first in line.").wait_for()
    mine.check()

    browser(seat.person).post(f"/training/seats/{seat.pk}/", {"act": "give_back"})
    noon = timezone.now().replace(hour=11)
    noon += dt.timedelta(days=7 - noon.weekday()) if noon.weekday() > 4 else dt.timedelta(0)
    training_mails.tell_due(now=noon)
    assert [letter.to for letter in mail.outbox if "You have a seat" in letter.subject] == [
        [jona.email]
    ]
    mine.page.reload()
    mine.page.get_by_role("button", name="Give the seat back").wait_for()
    mine.check()

    desk.page.goto(f"{base}/people/training/dates/{date.pk}/")
    desk.page.locator(".roomlist").get_by_text("Jona Harms").wait_for()
    desk.check()
    past = timezone.now() - 3 * HOUR
    Session.objects.filter(pk=date.pk).update(begins_at=past, ends_at=past + HOUR)
    desk.page.goto(f"{base}/training/dates/{date.pk}/room/")
    desk.page.get_by_role("checkbox", name="Jona Harms").check()
    desk.check()
    desk.page.get_by_role("button", name="Note who was there").click()
    desk.page.get_by_text("Who was there has the certificate.").wait_for()

    term = Membership.objects.get(person=jona)
    assert term.stage == "in_training"
    leads = Visitor(chromium, base, DESKTOP)
    leads.login(lead)
    leads.page.goto(f"{base}/training/")
    leads.check()
    leads.page.get_by_role("button", name="Make active").click()
    leads.page.get_by_text("Jona Harms is active now.").wait_for()
    term.refresh_from_db()
    assert term.stage == "active"
    mine.page.goto(f"{base}/training/")
    mine.page.get_by_role("link", name="Certificate").wait_for()
    mine.check()
    assert (mine.trouble, desk.trouble, leads.trouble) == ([], [], [])


def test_lesson_by_keyboard_and_pages_of_the_desk(chromium, live_server, programme, jona, person):
    selin = programme[0]
    now, base = timezone.now(), live_server.url
    course = Course.objects.create(
        title_de="Recht am Bild", title_en="Faces in pictures", language="en", how="lessons",
        made_at=now, published_at=now, executives_place=1,
    )  # fmt: skip
    lesson = lessons.add(course=course, title="Ask first", by=selin, now=now)
    lessons.ask(
        lesson=lesson, text="What goes?", explanation="Coffee may stay.",
        answers=[("The screen", True), ("The cup", False)],
    )  # fmt: skip
    mine, desk = Visitor(chromium, base, PHONE), Visitor(chromium, base, DESKTOP)
    mine.login(jona)
    desk.login(selin)
    mine.page.goto(f"{base}/training/executives/")
    mine.check()
    mine.page.goto(f"{base}/training/lessons/{lesson.pk}/")
    for label, said in (("The cup", "Not yet"), ("The screen", "Your certificate is ready")):
        mine.page.get_by_role("checkbox", name="The cup").set_checked(False)
        mine.page.get_by_role("checkbox", name=label).focus()
        mine.page.keyboard.press("Space")
        mine.page.get_by_role("button", name="Check and go on").focus()
        mine.page.keyboard.press("Enter")
        mine.page.get_by_text(said).first.wait_for()
        mine.check()
    for url in (
        "/people/training/",
        f"/people/training/courses/{course.pk}/",
        f"/people/training/lessons/{lesson.pk}/",
        "/people/training/completions/",
    ):
        desk.page.goto(base + url)
        desk.check()
    assert (mine.trouble, desk.trouble) == ([], [])
