"""HR's rooms as they are looked at and as they are sent: no violation, no script needed."""

import dataclasses
import datetime as dt

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from lxml import html

from ambassadors.models import Person
from campaigns import leaving
from people import imports, requirements, scim_tokens, sessions
from people.models import Course, Lesson
from people.sessions import Terms
from reception.models import Inquiry

from .conftest import browser
from .test_calls import call_for, put, wall  # noqa: F401 - a fixture
from .test_cards import areas, contact, desk_of_contacts  # noqa: F401 - fixtures
from .test_guidelines import QUIZ, publish  # noqa: F401 - a fixture
from .test_inquiries import post
from .test_lessons import MP4, VTT, course, save, up  # noqa: F401 - a fixture
from .test_loop import DESKTOP, PHONE, Visitor, chromium  # noqa: F401 - a fixture
from .test_people_import import _one_connection, lines, read, run, sent  # noqa: F401 - a fixture
from .test_pipeline import team_of, term  # noqa: F401 - a fixture
from .test_pulse import answers, closed, crew, opened  # noqa: F401 - a fixture

DAY = dt.timedelta(days=1)
NEW = "neu@nordwind.example;Nele Neu;100;Monteurin;Lohe;de"
BROKEN = "keine-mail;Ohne Mail;101;Einkauf;Lohe;de"


@dataclasses.dataclass
class House:
    """Who looks, and where things lie."""

    selin: Person
    jona: Person
    crew: list[Person]
    at: dict[str, str]


@pytest.fixture
def selin(person):
    return person("Selin Aydın", "hr", "administrator")


@pytest.fixture
def house(selin, person, crew, team_of, call_for, contact, areas, publish, course):
    """One of everything HR looks at."""
    cache.clear()
    now, people, lead = timezone.now(), crew(12), person("Ole Brodersen")
    jona = people[0]
    team = team_of("netz", capacity=9, lead=lead, purpose="Talks about the grid.")
    stages = ("nominated", "invited", "in_training", "active", "paused", "alumni")
    terms = [term(person(f"Ada {stage.title()}"), team, stage) for stage in stages]
    call = call_for(team)
    put(call, person("Nam Vu"))
    frauke = contact("Frauke Petersen", areas=[areas[0]])
    post("/ask/", question="Buy my links at once", website="https://x.example")
    version = publish(quiz=QUIZ)
    publish(version.guideline, at=now, quiz=QUIZ)
    lesson = course.lesson_set.first()
    save(selin, lesson, film=up(MP4, "x.mp4"), new_captions=up(VTT.encode(), "x.vtt"))
    dates = Course.objects.create(
        title_de="Antworten", title_en="Answering", language="en", how="dates", made_at=now,
        published_at=now,
    )  # fmt: skip
    requirements.ask(course=dates, team=team, kind=None, by=selin, now=now)
    hours = Terms(
        now + 3 * DAY, now + 3.1 * DAY, "Europe/Berlin", 1, room="Deichstube", trainer=lead
    )
    date = sessions.plan(course=dates, terms=hours, by=selin, now=now)
    leaving.plan(person=people[1], typed=str(timezone.localdate() + 9 * DAY), by=selin, now=now)
    scim_tokens.make(name="Entra ID", expires_at=now + DAY, by=selin, now=now)
    files = {
        "done": run(read(lines(NEW), selin), selin),
        "read": read(lines(NEW.replace("Monteurin", "Leitung"), BROKEN), selin),
        "brake": read(lines(NEW), selin, mode="everybody"),
        "columns": imports.upload(upload=sent(lines(NEW)), by=selin, now=now),
    }
    desk, slug = "/people", version.guideline.slug
    return House(selin, jona, people, {
        "call": f"{desk}/calls/{call.pk}/", "for": f"team-{team.pk}", "team": team.slug, "guideline": str(version.guideline.pk),
        "slug": slug, "lesson": f"/training/lessons/{lesson.pk}/", "frauke": frauke.email,
        "desk_lesson": f"{desk}/training/lessons/{lesson.pk}/", "date": f"{desk}/training/dates/{date.pk}/",
        "desk_course": f"{desk}/training/courses/{dates.pk}/", "term": f"{desk}/terms/{terms[3].pk}/",
        "leave": f"{desk}/{people[2].pk}/leave/", "planned": f"{desk}/{people[1].pk}/leave/",
        **{name: f"{desk}/import/{row.pk}/" for name, row in files.items()},
    })  # fmt: skip


def desk_pages(at):
    return [
        "/people/calls/", "/people/calls/new/", at["call"], f"{at['call']}edit/", f"{at['call']}invite/",
        "/people/pipeline/", at["term"], "/people/teams/", f"/people/teams/{at['team']}/", "/people/kinds/new/",
        "/roster/", "/roster/coverage/", "/roster/figures/", "/people/guidelines/",
        f"/people/guidelines/{at['guideline']}/",
    ]  # fmt: skip


def moving_pages(at):
    return [
        "/people/import/", at["columns"], at["read"], at["brake"], at["done"], "/people/leaving/", at["leave"],
        at["planned"], "/people/directory/", "/reception/quarantine/", "/reception/quarantine/?show=discarded",
        "/people/training/", at["desk_course"], at["desk_lesson"], at["date"], "/people/training/completions/",
    ]  # fmt: skip


def own_pages(at):
    return [
        "/guidelines/", f"/guidelines/{at['slug']}/", f"/guidelines/{at['slug']}/versions/2/questions/",
        f"/teams/{at['team']}/nominate/", "/training/", at["lesson"], "/me/data/", "/me/", "/me/teams/",
        "/pulse/results/", "/welcome/",
    ]  # fmt: skip


SMALL = """() => [...document.querySelectorAll('main :is(button, summary, select, textarea, .btn, .input)')]
  .filter(e => e.checkVisibility() && e.getBoundingClientRect().width > 1)
  .filter(e => e.getBoundingClientRect().height < 43.5).map(e => e.outerHTML.slice(0, 120))"""


def look(visitor, url, small):
    """A page, its folds open, on a desk and on a phone, in the light and in the dark."""
    from axe_playwright_python.sync_playwright import Axe

    page = visitor.page
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESKTOP)
    assert page.goto(visitor.base + url).status == 200, url
    page.evaluate("document.querySelectorAll('main details.more').forEach(e => { e.open = true })")
    visitor.check()
    page.set_viewport_size(PHONE)
    visitor.check()
    small += [(url, mark) for mark in page.evaluate(SMALL)]
    page.emulate_media(color_scheme="dark")
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        page.evaluate("document.getAnimations().forEach(each => each.finish())")  # of colours
        found = Axe().run(page, options={"runOnly": ["color-contrast"]}).response["violations"]
        assert [n["html"] for v in found for n in v["nodes"]] == [], (url, size)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("pages", [desk_pages, moving_pages, own_pages])
def test_page_is_accessible_on_desk_and_phone_in_light_and_dark(
    chromium, live_server, house, pages
):
    visitor, small = Visitor(chromium, live_server.url, DESKTOP), []
    own = pages is own_pages
    who = house.jona if own else house.selin
    session = browser(who).cookies["sessionid"].value
    visitor.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    if own:
        survey = opened(house.selin)
        look(visitor, "/pulse/", small)
        answers(house.crew, survey, comment="A word.")
        closed(survey)
    for url in pages(house.at):
        look(visitor, url, small)
    assert (visitor.trouble, small) == ([], [])


# Without a script ---------------------------------------------------------------------------------


def press(client, url, button, file=None, **typed):
    """Send a page's form as a browser without a script would, with what one typed and pressed."""
    answer = client.get(url)
    assert answer.status_code == 200
    page = html.document_fromstring(answer.content.decode(), base_url=f"http://testserver{url}")
    (pressed, *_others) = [b for b in page.xpath("//main//button") if button in b.text_content()]
    form = pressed.getparent()
    while form.tag != "form":
        form = form.getparent()
    data: dict[str, list[str]] = {}
    for name, value in form.form_values():
        if name not in typed:
            data.setdefault(name, []).append(value)
    if pressed.get("name"):
        typed[pressed.get("name")] = pressed.get("value")
    data |= {name: value if isinstance(value, list) else [value] for name, value in typed.items()}
    to = pressed.get("formaction") or form.get("action") or url
    if form.method == "GET":
        return client.get(to, data)
    return client.post(to, data | ({file[0]: file[1]} if file else {}))


@pytest.mark.django_db
def test_forms_of_hr_need_no_script(house):
    at, client = house.at, browser(house.selin)
    day = str(timezone.localdate() + 20 * DAY)
    csv = ("file", SimpleUploadedFile("p.csv", lines(NEW).encode(), "text/csv"))
    sent_back = [
        (button, url)
        for url, button, file, typed in (
            ("/people/calls/new/", "Save", None, {"title_de": "Wer?", "text_de": "Wir suchen.", "for": at["for"], "opens_at": wall(1), "closes_at": wall(9)}),
            (f"{at['call']}edit/", "Save", None, {}),
            (f"{at['call']}invite/", "Send the invitations", None, {"note": "Hi.", "addresses": "a@nordwind.example"}),
            (at["call"], "Offer a place", None, {}),
            (f"/people/teams/{at['team']}/", "Save", None, {}),
            (f"/people/guidelines/{at['guideline']}/", "Save draft", None, {"change_en": "A new line."}),
            (f"/people/guidelines/{at['guideline']}/publish/", "Publish", None, {}),
            ("/people/import/", "Upload", csv, {}),
            (at["columns"], "Look what would happen", None, {}),
            (at["read"], "Take it over", None, {}),
            (at["leave"], "Plan this day", None, {"day": day}),
            ("/people/leaving/", "Take it back", None, {}),
            ("/reception/quarantine/", "A real question", None, {}),
            (at["desk_course"], "Save", None, {}),
            (at["desk_lesson"], "Save", None, {}),
            (at["date"], "Save", None, {}),
        )
        if press(client, url, button, file, **typed).status_code != 302
    ]  # fmt: skip
    assert sent_back == []
    assert "Nele Neu" not in press(client, "/roster/", "Show", q="Muster3").content.decode()
    assert (
        "shown only now"
        in press(client, "/people/directory/", "Make a key", name="Okta").content.decode()
    )
    assert (Inquiry.objects.get().state, Lesson.objects.first().title) == ("assigned", "Faces")


@pytest.mark.django_db
def test_own_forms_need_no_script(house):
    at, client = house.at, browser(house.jona)
    opened(house.selin)
    for url, button, typed in (
        (f"/guidelines/{at['slug']}/", "Yes", {}),
        (
            f"/teams/{at['team']}/nominate/",
            "Pass on",
            {"address": at["frauke"], "note": "You explain well."},
        ),
        (at["lesson"], "Done", {}),
        ("/me/", "Save", {"hours": "2"}),
        ("/pulse/", "Put it into the box", {f"q{n}": "3" for n in range(5)}),
        ("/welcome/", "Go on", {}),
    ):
        assert press(client, url, button, **typed).status_code == 302, url
    frauke = browser(Person.objects.get(email=at["frauke"]))
    assert press(frauke, "/me/card/", "Save", languages=["de", "tr"]).status_code == 302
