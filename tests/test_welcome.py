"""The first run: three steps, left at any point, met once, and nobody else's business."""

import datetime as dt

import pytest
from django.utils import timezone

from ambassadors.models import Person
from campaigns.models import Programme, ReachWish, Topic
from integrations.models import ConnectedAccount

from .conftest import browser
from .test_loop import DESKTOP, PHONE, Visitor, chromium  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db


@pytest.fixture
def joiner(person, topic):
    Programme.the()
    return person("Svea Lund", welcome=1)


def stands(who):
    return Person.objects.get(pk=who.pk).welcome


def test_somebody_new_meets_it_once(joiner):
    client = browser(joiner)
    assert client.get("/")["Location"] == "/welcome/"
    client.post("/welcome/", {"step": "2", "act": "later"})
    page = client.get("/")
    assert (
        page.status_code,
        "You have not seen all of the first run." in page.content.decode(),
    ) == (200, True)
    client.post("/welcome/", {"step": "2", "act": "never"})
    assert "first run" not in client.get("/").content.decode()


def test_everybody_who_was_here_is_left_alone(jona):
    assert browser(jona).get("/").status_code == 200


def test_three_steps_keep_what_was_chosen(joiner, suggestion):
    client = browser(joiner)
    Topic.objects.create(
        slug="old", title="Old", light_since=timezone.now(), archived_at=timezone.now()
    )
    Person.objects.filter(pk=joiner.pk).update(interests=["old"])
    client.post(
        "/welcome/", {"step": "2", "act": "next", "language": "de", "topics": ["wind", "nonsense"]}
    )
    joiner.refresh_from_db()
    assert (joiner.language, joiner.interests, joiner.welcome) == ("de", ["old", "wind"], 3)
    client.post("/welcome/", {"step": "3", "act": "next", "reach": "mail", "at": "08:15"})
    assert (ReachWish.objects.get(person=joiner).at, stands(joiner)) == (dt.time(8, 15), 4)
    answer = client.post("/welcome/", {"step": "4", "act": "next"})
    assert answer["Location"] == f"/suggestions/{suggestion.pk}/?rehearse=1"
    wall = ConnectedAccount.objects.get(person=joiner)
    page = client.get(answer["Location"]).content.decode()
    assert (stands(joiner), wall.network) == (0, "wall")
    import re

    box = re.search(rf'<input[^>]*name="to"[^>]*value="{wall.pk}"[^>]*>', page)[0]
    assert "checked" in box


def test_nothing_writes_to_whoever_chose_nothing(joiner):
    client = browser(joiner)
    for step in ("2", "3"):
        client.post("/welcome/", {"step": step, "act": "next"})
    assert (ReachWish.objects.count(), stands(joiner), ConnectedAccount.objects.count()) == (
        0,
        4,
        0,
    )


@pytest.mark.parametrize(
    "at", ["", "25:00", "03:00", "soon", "\x00", "9" * 5000, "07:30+02:00"], ids=lambda v: v[:8]
)
def test_bad_time_gets_a_sentence(joiner, at):
    answer = browser(joiner).post(
        "/welcome/", {"step": "3", "act": "next", "reach": "mail", "at": at}
    )
    assert (answer.status_code, b"Choose a time between" in answer.content) == (422, True)
    assert ReachWish.objects.count() == 0


def test_back_leads_back_and_nonsense_leads_nowhere(joiner):
    client = browser(joiner)
    client.post("/welcome/", {"step": "4", "act": "back"})
    assert stands(joiner) == 3
    for step in ("9", "x", "9" * 5000, ""):
        assert client.post("/welcome/", {"step": step, "act": "later"}).status_code == 302
    assert stands(joiner) in {2, 3, 4}


def test_no_page_of_others_tells_how_far_somebody_came(joiner, person):
    hr = browser(person("Selin", "hr"))
    pages = ("/roster/", "/people/leaving/", f"/people/{joiner.pk}/leave/")
    before = [hr.get(path).content for path in pages]
    Person.objects.filter(pk=joiner.pk).update(welcome=3)

    def plain(page):
        import re

        return re.sub(rb'value="[^"]*"', b"", page)

    assert [plain(p) for p in before] == [plain(hr.get(path).content) for path in pages]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("size", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")], ids=["390", "1280"]
)
def test_first_run_takes_a_few_clicks(chromium, live_server, joiner, suggestion, size, scheme):
    visitor = Visitor(chromium, live_server.url, size)
    visitor.page.emulate_media(color_scheme=scheme)
    visitor.page.goto(f"{live_server.url}/accounts/login/")
    visitor.page.get_by_text("With a password").click()
    visitor.page.locator("#l").fill(joiner.email)
    visitor.page.locator("#pw").fill("moin-moin-nordwind")
    visitor.page.locator("#pw").press("Enter")
    visitor.page.wait_for_url("**/welcome/")
    clicks = 0

    def click(name, role="button"):
        nonlocal clicks
        visitor.check()
        visitor.page.get_by_role(role, name=name).click()
        visitor.page.wait_for_load_state()
        clicks += 1

    click("Wind farm", "checkbox")
    click("Go on")
    click("Go on")
    click("Try it there")
    visitor.page.wait_for_url("**?rehearse=1")
    visitor.page.locator("[data-text]").fill("I hold the cables, and my hands know it.")
    visitor.page.get_by_role("button", name="Share", exact=True).click()
    visitor.page.wait_for_url("**/posts/*/")
    assert (clicks + 1, visitor.trouble) == (5, [])
