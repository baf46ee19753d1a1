"""In a browser: a curator's day, from the morning's issue to a channel taken back in an emergency."""

import datetime as dt
import re
import uuid

import pytest
from django.utils import timezone

from ambassadors.models import AuditEntry
from campaigns import shares
from campaigns.models import Briefing, Delivery, HoldRecord, Proposal, Suggestion, Takeover, Topic
from campaigns.shares import Words
from integrations import accounts

from .test_calendar import BERLIN, working_noon
from .test_loop import chromium  # noqa: F401 - a fixture
from .test_takeovers import RULES, channel, connect  # noqa: F401 - fixtures
from .test_walks import visit  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(person):
    """Who meets in this day."""
    return person("Mirja Thomsen", "curator"), person("Dilan Kaya", "curator"), person("Jona Harms")


def morning(desk, mine, topic):
    """An issue with a call; who opens Today sees it, and only they see that they read it."""
    day = timezone.localtime(timezone.now(), BERLIN).date()
    desk.look(f"/desk/issues/{day}/", "day-issue")
    page = desk.page
    page.locator("#add").select_option(str(topic.pk))
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator(f"#note-{topic.pk}").fill("The first turbine feeds in since six.")
    page.locator("#note").fill("A calm day. One topic.")
    page.locator("#starts_at").fill("09:15")
    page.locator("#dial_in").fill("https://meet.nordwind.example/lage")
    page.get_by_role("button", name="Publish now").first.click()
    page.wait_for_load_state()
    assert Briefing.objects.get(day=day).published_at is not None
    desk.look("", "day-issue-out")
    mine.look("/", "day-today")
    join = mine.page.get_by_role("link", name="Join")
    assert join.get_attribute("href") == "https://meet.nordwind.example/lage"
    assert mine.page.get_by_text("The first turbine feeds in since six.").is_visible()


def noon(desk, mine, topic):
    """The light goes to hold: consequences first, then the report; the open page hears of it."""
    desk.page.goto(f"{desk.base}/desk/")
    row = desk.page.locator(".sigrow", has_text=topic.title)
    row.locator("label", has_text="Hold").click()
    desk.page.wait_for_url(f"**/desk/topics/{topic.pk}/hold/")
    desk.look("", "day-hold")
    assert "planned posts stop" in desk.page.locator(".effects").inner_text()
    desk.page.locator("#br-t").fill("The figures are being checked.")
    desk.page.get_by_role("button", name="Hold now").click()
    desk.page.wait_for_url("**/desk/holds/*/")
    desk.look("", "day-report")
    heard = mine.page.get_by_text("The figures are being checked.")
    for _ in range(20):  # the page's own clock does this every half a minute
        mine.page.evaluate("document.body.dispatchEvent(new Event('look'))")
        mine.page.wait_for_timeout(500)
        if heard.first.is_visible():
            break
    assert heard.first.is_visible()
    mine.look("", "day-today-held")
    record = HoldRecord.objects.get()
    desk.page.goto(f"{desk.base}/desk/holds/{record.pk}/")
    desk.page.get_by_role("button", name="Release").click()
    desk.page.wait_for_load_state()
    assert not Topic.objects.get().is_held


def idea(desk, other, mine, topic):
    """From a phone to a published suggestion, sent back once and approved by somebody else."""
    mine.page.goto(f"{mine.base}/")
    mine.page.locator("a[href='/ideas/']:visible").first.click()
    mine.look("", "day-ideas")
    mine.page.locator("#idea").fill("The storks are back beside turbine 9.")
    mine.page.get_by_label("say that it was my idea").check()
    mine.page.get_by_role("button", name="Hand in").click()
    mine.page.wait_for_load_state()
    row = Proposal.objects.get()
    desk.look("/desk/ideas/", "day-triage")
    desk.page.locator(f"a[href='/desk/ideas/{row.pk}/']").click()
    desk.look("", "day-idea")
    desk.page.locator("#topic").select_option(str(topic.pk))
    desk.page.get_by_role("button", name="Take it up as a draft").click()
    desk.page.wait_for_url(re.compile(r"/desk/suggestions/\d+/"))
    made = Suggestion.objects.latest("pk")
    desk.look("", "day-editor")
    hand_in(desk)
    other.look(f"/desk/suggestions/{made.pk}/review/", "day-review")
    other.page.locator("#note").fill("Which storks, and how many?")
    other.page.get_by_role("button", name="Give back").click()
    other.page.wait_for_load_state()
    desk.page.goto(f"{desk.base}/desk/suggestions/{made.pk}/")
    assert desk.page.get_by_text("Which storks, and how many?").first.is_visible()
    text = desk.page.locator("[name=v_text]").first
    text.fill("Two storks came back beside turbine 9. [what you thought when you saw them]")
    hand_in(desk)
    other.page.goto(f"{other.base}/desk/suggestions/{made.pk}/review/")
    other.page.get_by_role("button", name="Approve").click()
    other.page.wait_for_load_state()
    made.refresh_from_db()
    assert (made.state, made.approved_by.name) == ("approved", "Dilan Kaya")
    mine.look("/ideas/", "day-idea-taken")
    mine.page.get_by_role("link", name="Became a suggestion: open it").click()
    assert mine.page.get_by_text("Two storks came back").first.is_visible()


def hand_in(desk):
    """Send what is open to review."""
    desk.page.get_by_role("button", name="Send to review").click()
    desk.page.wait_for_url(f"{desk.base}/desk/")


def spread(desk, plan_at, count):
    """Nine at once become nine, with the keyboard alone."""
    desk.look(f"/desk/calendar/?week={plan_at:%Y-%m-%d}", "day-calendar")
    button = desk.page.get_by_role("button", name=re.compile("^Spread"))
    button.focus()
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_load_state()
    desk.page.locator("main").get_by_text(
        re.compile("spread|moved", re.IGNORECASE)
    ).first.wait_for()
    desk.look("", "day-spread")
    hours = Delivery.objects.filter(state="queued").values_list("due_at", flat=True)
    assert len({at.replace(minute=0, second=0) for at in hours}) > 1
    assert len(hours) == count


def lend(desk, other, mine, channel_):
    """A channel for an hour, released by somebody, ended in an emergency; nothing waits any more."""
    desk.look("/desk/takeovers/", "day-takeovers")
    now = timezone.localtime(timezone.now(), BERLIN)
    desk.page.get_by_text("Plan a takeover").click()
    desk.page.locator("#id_channel").select_option(str(channel_.pk))
    desk.page.locator("#id_person").fill(mine.person.email)
    desk.page.locator("#id_begins_at").fill(f"{now + dt.timedelta(minutes=2):%Y-%m-%dT%H:%M}")
    desk.page.locator("#id_ends_at").fill(f"{now + dt.timedelta(hours=2):%Y-%m-%dT%H:%M}")
    desk.page.locator("#id_rules").fill(RULES)
    desk.page.get_by_role("button", name="Plan it").click()
    desk.page.wait_for_url(re.compile(r"/takeovers/\d+/"))
    slot = Takeover.objects.get()
    mine.look(f"/takeovers/{slot.pk}/", "day-slot")
    mine.page.get_by_label("I have read the rules").check()
    mine.page.get_by_role("button", name="Yes, I take it").click()
    mine.page.wait_for_load_state()
    mine.page.locator("#text").fill("Good morning from turbine 9.")
    mine.page.get_by_role("button", name="Keep for the channel").click()
    mine.page.wait_for_load_state()
    other.look(f"/takeovers/{slot.pk}/", "day-slot-owner")
    other.page.get_by_role("button", name="Release the slot").click()
    other.page.wait_for_load_state()
    Takeover.objects.update(begins_at=timezone.now() - dt.timedelta(minutes=1))  # time passes
    other.page.goto(f"{other.base}/takeovers/{slot.pk}/")
    other.page.get_by_role("button", name="Stop now").click()
    other.page.wait_for_load_state()
    other.look("", "day-stopped")
    slot.refresh_from_db()
    assert slot.state == "stopped"
    left = Delivery.objects.filter(account=channel_, state__in=["queued", "sending"])
    assert left.count() == 0


def test_day_at_the_desk(a_working_day, visit, people, person, topic, suggestion, channel):
    mirja, dilan, jona = people
    noon_ahead = working_noon()
    for number in range(9):
        writer = person(f"P{number}")
        wall = accounts.connect_wall(person=writer, now=timezone.now())
        words = Words(
            f"My sentence {uuid.uuid4().hex}.", suggestion.variant_set.get(), uuid.uuid4()
        )
        shares.share(
            by=writer, suggestion=suggestion, words=words, accounts=[wall], due_at=noon_ahead,
            movable=True, now=timezone.now(),
        )  # fmt: skip
    desk, other, mine = visit(mirja), visit(dilan), visit(jona)
    mine.person = jona
    morning(desk, mine, topic)
    idea(desk, other, mine, topic)
    spread(desk, noon_ahead, 9)
    lend(desk, other, mine, channel)
    mine.page.goto(f"{mine.base}/")
    noon(desk, mine, topic)
    assert AuditEntry.objects.filter(act="hold").count() == 1
    assert (desk.trouble, other.trouble, mine.trouble) == ([], [], [])
