"""Slack and Teams: rooms, direct messages, holds; what the services refuse; what the cards hold."""

import datetime as dt
import importlib.resources
import json

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone, translation

from ambassadors.models import AuditEntry
from campaigns import briefings, cards, chat_messages, holds, lights, reaching
from campaigns.models import Briefing, BriefingItem, Reached, ReachWish, RoomMessage, Topic
from integrations import chats, slack, teams
from integrations.models import ChatRoom
from integrations.networks.base import Later, Refused, Sent, Unknown

from .chat_servers import TOKEN, Slack, Teams
from .conftest import _allow, browser
from .test_issues import TUESDAY, at

pytestmark = pytest.mark.django_db
CHANNEL = "C0123456789"


@pytest.fixture
def slack_server(monkeypatch, settings):
    with Slack() as server:
        _allow(monkeypatch, server)
        settings.SLACK_API_URL = f"{server.base_url}/api"
        yield server


@pytest.fixture
def teams_server(monkeypatch):
    with Teams() as server:
        _allow(monkeypatch, server)
        yield server


@pytest.fixture
def boss(person):
    return person("Ada Admin", "administrator")


@pytest.fixture
def out(topic):
    issue = Briefing.objects.create(day=TUESDAY, published_at=at(6))
    BriefingItem.objects.create(briefing=issue, topic=topic, position=0)
    return issue


def connect(boss, service, secret, **fields):
    typed = chats.Typed(service=service, name="Lage", secret=secret, language="en", **fields)
    hello = chat_messages.hello(service, "en")
    return chats.add(by=boss, typed=typed, hello=hello, now=at(6))


@pytest.fixture
def slack_room(boss, slack_server):
    room = connect(boss, "slack", TOKEN, room=CHANNEL, direct=True)
    slack_server.messages.clear()
    return room


@pytest.fixture
def teams_room(boss, teams_server):
    room = connect(boss, "teams", teams_server.address)
    teams_server.cards.clear()
    return room


def send(hour=8, minute=0, **when):
    return chat_messages.send_due(now=at(hour, minute, **when))


def texts(value):
    """Every word that a card shows, in order."""
    if isinstance(value, dict):
        own = [value[key] for key in ("text", "title") if isinstance(value.get(key), str)]
        return own + [word for one in value.values() for word in texts(one)]
    return [word for one in value for word in texts(one)] if isinstance(value, list) else []


# Rooms ------------------------------------------------------------------------------------------


def test_room_gets_the_day_once_in_working_hours(
    out, slack_room, teams_room, slack_server, teams_server, suggestion
):
    assert [send(6, 59), send(8), send(9), send(19)] == [0, 2, 0, 0]
    [said], [card] = slack_server.to(CHANNEL), teams_server.cards
    for shown in (texts(said["blocks"]), texts(card)):
        joined = " ".join(shown)
        wanted = (
            "The situation on Tuesday, 24. November",
            "Wind farm",
            "Tell it.",
            "Six years",
            "own words",
        )
        assert [words for words in wanted if words not in joined] == []
    assert (said["unfurl_links"], said["unfurl_media"]) == (False, False)
    assert "Wind farm" in said["text"]


def test_nothing_leaves_without_an_issue_or_a_room(topic, slack_room, slack_server):
    assert (send(), slack_server.to(CHANNEL)) == (0, [])
    ChatRoom.objects.all().delete()
    Briefing.objects.create(day=TUESDAY, published_at=at(6))
    assert send() == 0


def test_room_reads_only_what_is_meant_for_everybody(out, slack_room, slack_server, suggestion):
    suggestion.audience_languages = ["en"]
    suggestion.save()
    send()
    assert "Six years" not in json.dumps(slack_server.to(CHANNEL))


def test_hold_is_followed_up_and_the_days_card_in_slack_changes(
    out, topic, mirja, slack_room, teams_room, slack_server, teams_server
):
    send()
    holds.hold(scope=topic, by=mirja, reason="We wait for the fire brigade.", now=at(8, 5))
    assert [send(8, 6), send(8, 7)] == [2, 0]
    day, hold = slack_server.to(CHANNEL)
    assert ("On hold" in day["text"], "Free to share" in day["text"]) == (True, False)
    assert "🛑 On hold: Wind farm" in hold["text"]
    assert "We wait for the fire brigade." in " ".join(texts(teams_server.cards[1]))
    holds.release(scope=topic, by=mirja, now=at(8, 30))
    assert [send(8, 31), send(8, 32)] == [2, 0]
    assert "No longer on hold: Wind farm" in slack_server.to(CHANNEL)[2]["text"]
    assert "Free to share" in slack_server.to(CHANNEL)[0]["text"]
    assert len(teams_server.cards) == 3


def test_hold_at_night_waits_and_one_that_is_over_by_then_is_not_told(
    topic, mirja, teams_room, teams_server
):
    holds.hold(scope=topic, by=mirja, reason="Wait.", now=at(20))
    wednesday = TUESDAY + dt.timedelta(days=1)
    assert (send(21), send(7, day=wednesday)) == (0, 1)
    other = Topic.objects.create(slug="o", title="Other", rule="r", light_since=at(6))
    holds.hold(scope=other, by=mirja, reason="Wait.", now=at(20, day=wednesday))
    holds.release(scope=other, by=mirja, now=at(21, day=wednesday))
    assert send(8, day=wednesday + dt.timedelta(days=1)) == 0


def test_hold_of_a_suggestion_stays_among_those_who_may_read_it(suggestion, mirja, teams_room):
    holds.hold(scope=suggestion, by=mirja, reason="Wait.", now=at(8))
    assert send(8, 5) == 0


# What a service answers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "facts", "outcome", "again"),
    [
        ("status", {"status": 429, "headers": [("Retry-After", "120")]}, None, True),
        ("body", {"payload": {"ok": False, "error": "ratelimited"}}, None, True),
        ("reset", {}, "unknown", False),
        ("reset", {"applied": True}, "unknown", False),
        ("status", {"status": 503}, "unknown", False),
        ("html", {}, "unknown", False),
        ("no_id", {}, "unknown", False),
        ("truncated", {}, "unknown", False),
        ("body", {"payload": {"ok": False, "error": "fatal_error"}}, "unknown", False),
        ("body", {"payload": {"ok": False}}, "unknown", False),
        ("body", {"payload": {"ok": False, "error": "invalid_blocks"}}, "refused", False),
        ("body", {"payload": {"ok": False, "error": "token_revoked"}}, "refused", False),
        ("body", {"payload": {"ok": False, "error": "is_archived\x00" * 99}}, "refused", False),
    ],
)  # fmt: skip
def test_slack_room_is_never_written_twice(
    out, slack_room, slack_server, fault, facts, outcome, again
):
    slack_server.fault(fault, **facts)
    assert send(8) == 0
    found = list(RoomMessage.objects.values_list("outcome", flat=True))
    assert found == ([outcome] if outcome else [])
    assert send(8, 0) == 0 or outcome
    assert (send(8, 30) == 1) == again
    assert len(slack_server.to(CHANNEL)) == (1 if again or facts.get("applied") else 0)
    room = ChatRoom.objects.get()
    assert (room.trouble != "") == (outcome == "refused")


@pytest.mark.parametrize(
    ("fault", "facts", "outcome", "again"),
    [
        ("status", {"status": 429, "headers": [("Retry-After", "120")]}, None, True),
        ("reset", {"applied": True}, "unknown", False),
        ("status", {"status": 502}, "unknown", False),
        ("status", {"status": 404}, "refused", False),
        ("status", {"status": 401}, "refused", False),
    ],
)  # fmt: skip
def test_teams_room_is_never_written_twice(
    out, teams_room, teams_server, fault, facts, outcome, again
):
    teams_server.fault(fault, **facts)
    assert send(8) == 0
    assert list(RoomMessage.objects.values_list("outcome", flat=True)) == ([outcome] if outcome else [])  # fmt: skip
    assert (send(8, 1), send(8, 30)) == ((0, 1) if again else (0, 0))
    assert len(teams_server.cards) == (1 if again or facts.get("applied") else 0)


def test_what_cannot_be_reached_is_free_and_does_not_stop_the_others(
    out, slack_room, teams_room, teams_server, monkeypatch, settings
):
    settings.SLACK_API_URL = "http://127.0.0.1:1/api"
    monkeypatch.setenv("LOOPBACK_HOSTS", f"127.0.0.1:1,127.0.0.1:{teams_server.port}")
    assert (send(), len(teams_server.cards)) == (1, 1)
    assert [row.room for row in RoomMessage.objects.all()] == [teams_room]


def test_trouble_is_shown_to_the_administrator_and_ends_with_success(
    out, teams_room, teams_server, boss
):
    teams_server.fault("status", status=404)
    send()
    assert "it refused" in browser(boss).get("/chats/").content.decode()
    Briefing.objects.create(day=TUESDAY + dt.timedelta(days=1), published_at=at(6))
    send(8, day=TUESDAY + dt.timedelta(days=1))
    assert "it refused" not in browser(boss).get("/chats/").content.decode()


def test_change_of_a_card_whose_answer_was_lost_is_made_again(
    out, topic, mirja, slack_room, slack_server
):
    send()
    lights.change(topic=topic, to="careful", seen="share", why="Rain.", by=mirja, now=at(8, 1))
    slack_server.fault("reset")
    send(8, 2)
    assert "With care" not in slack_server.to(CHANNEL)[0]["text"]
    send(8, 3)
    assert "With care" in slack_server.to(CHANNEL)[0]["text"]
    asked = len(slack_server.asked)
    send(8, 4)
    assert len(slack_server.asked) == asked


# Direct messages ------------------------------------------------------------------------------------


def choose(who, slack_server, **fields):
    slack_server.people[who.email] = f"U{who.pk:09d}"
    return browser(who).post("/me/reach/", {"daily": "slack", "at": "07:30", **fields})


def test_direct_message_instead_of_a_mail(
    out, jona, slack_room, slack_server, suggestion, mailoutbox
):
    choose(jona, slack_server)
    wish = ReachWish.objects.get()
    assert (wish.way, wish.address) == ("slack", f"U{jona.pk:09d}")
    assert send(8) == 2
    [said] = slack_server.to(wish.address)
    assert "Six years" in " ".join(texts(said["blocks"]))
    reaching.wish(by=jona, way="mail", at=dt.time(7, 30), now=at(9))
    from campaigns import issue_mails

    assert (issue_mails.send_due(now=at(9)), mailoutbox) == (0, [])


def test_hold_of_ones_own_comes_as_a_direct_message(
    out, jona, topic, mirja, slack_room, slack_server, account_on, mastodon, queue
):
    queued = queue(jona, account_on(jona, mastodon), due_at=timezone.now() + dt.timedelta(days=1))
    type(queued.post).objects.update(created_at=at(6))
    choose(jona, slack_server)
    send(8)
    holds.hold(scope=topic, by=mirja, reason="Wait.", now=at(8, 5))
    send(8, 6)
    said = slack_server.to(f"U{jona.pk:09d}")
    assert (len(said), "A post of yours on it waits." in said[-1]["text"]) == (2, True)


@pytest.mark.parametrize(
    ("fault", "facts", "claimed", "off"),
    [
        ("status", {"status": 429, "headers": [("Retry-After", "60")]}, 0, False),
        ("body", {"payload": {"ok": False, "error": "user_disabled"}}, 1, True),
        ("body", {"payload": {"ok": False, "error": "missing_scope"}}, 0, False),
        ("reset", {"applied": True}, 1, False),
        ("body", {"payload": {"ok": False, "error": "invalid_blocks"}}, 1, False),
    ],
)  # fmt: skip
def test_direct_message_that_slack_does_not_take(
    out, jona, slack_room, slack_server, fault, facts, claimed, off
):
    choose(jona, slack_server)
    ChatRoom.objects.update(room="")
    slack_server.fault(fault, **facts)
    send()
    send(8, 0)
    assert (Reached.objects.count(), ReachWish.objects.get().off_at is not None) == (claimed, off)
    assert len(slack_server.messages) == bool(facts.get("applied"))


def test_slack_that_knows_nobody_of_this_address_gets_a_sentence(jona, slack_room, slack_server):
    answer = browser(jona).post("/me/reach/", {"daily": "slack", "at": "09:10"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert (f"Slack knows nobody with the address {jona.email}" in page, "09:10" in page) == (
        True,
        True,
    )
    type(jona).objects.filter(pk=jona.pk).update(welcome=3)
    answer = browser(jona).post(
        "/welcome/", {"step": "3", "act": "next", "reach": "slack", "at": "09:10"}
    )
    assert (answer.status_code, b"Slack knows nobody" in answer.content) == (422, True)
    slack_server.fault("status", status=500)
    page = browser(jona).post("/me/reach/", {"holds": "slack"}).content.decode()
    assert "Slack cannot be asked at present" in page
    assert ReachWish.objects.count() == 0


def test_slack_is_not_offered_where_the_company_has_none(jona):
    assert 'value="slack"' not in browser(jona).get("/me/reach/").content.decode()
    browser(jona).post("/me/reach/", {"daily": "slack", "at": "07:30"})
    assert ReachWish.objects.count() == 0


# The administrator's page -----------------------------------------------------------------------------


def test_room_is_added_with_a_greeting_and_its_secret_is_sealed(boss, slack_server):
    form = {"service": "slack", "name": "Lage", "secret": TOKEN, "room": CHANNEL, "language": "de"}
    browser(boss).post("/chats/", form)
    row = ChatRoom.objects.get()
    assert (chats.secret(row), TOKEN.encode() in bytes(row.sealed)) == (TOKEN, False)
    assert "Botschaft schreibt ab jetzt hier" in slack_server.to(CHANNEL)[0]["text"]
    assert AuditEntry.objects.get(act="chat.added").facts == {"service": "slack", "direct": False}
    page = browser(boss).get("/chats/").content.decode()
    assert ("Lage" in page, TOKEN in page) == (True, False)
    browser(boss).post(f"/chats/{row.pk}/remove/")
    assert (ChatRoom.objects.count(), AuditEntry.objects.filter(act="chat.removed").count()) == (
        0,
        1,
    )


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"service": "slack", "name": "", "secret": TOKEN, "room": CHANNEL}, "slack-name"),
        ({"service": "slack", "name": "x", "secret": "xoxp-1", "room": CHANNEL}, "slack-secret"),
        ({"service": "slack", "name": "x", "secret": TOKEN, "room": "#lage"}, "slack-room"),
        ({"service": "slack", "name": "x", "secret": TOKEN, "room": ""}, "slack-room"),
        ({"service": "slack", "name": "x", "secret": TOKEN, "room": "C9999999999"}, "slack-room"),
        ({"service": "slack", "name": "x", "secret": "xoxb-wrong-wrong-wrong", "room": CHANNEL}, "slack-secret"),
        ({"service": "teams", "name": "x", "secret": "http://example.org"}, "teams-secret"),
        ({"service": "teams", "name": "x", "secret": "https://169.254.169.254/"}, "teams-secret"),
        ({"service": "teams", "name": "x", "secret": "\x00" * 5000}, "teams-secret"),
        ({}, "slack-name"),
    ],
)  # fmt: skip
def test_room_that_does_not_work_is_not_kept(boss, slack_server, form, field):
    answer = browser(boss).post("/chats/", form)
    page = answer.content.decode()
    tag = page[page.index(f'id="{field}"') :].split(">", 1)[0]
    assert (answer.status_code, 'aria-invalid="true"' in tag) == (422, True)
    assert (TOKEN in page, ChatRoom.objects.count()) == (False, 0)


@pytest.mark.parametrize("role", ["curator", "hr", "auditor", ""])
def test_only_the_administrator_connects_rooms(person, teams_room, role):
    who = browser(person("X", *filter(None, [role])))
    assert who.get("/chats/").status_code == 403
    assert who.post(f"/chats/{teams_room.pk}/remove/").status_code == 403
    assert ChatRoom.objects.count() == 1


def test_secret_of_another_row_opens_nothing(boss, teams_room, slack_room, out, teams_server):
    ChatRoom.objects.filter(pk=teams_room.pk).update(sealed=slack_room.sealed)
    send()
    teams_room.refresh_from_db()
    assert (teams_server.cards, "another row" in teams_room.trouble) == ([], True)


# Cards ---------------------------------------------------------------------------------------------


WORST = "𝔘" * 120
MARKUP = '<!channel> *bold* [x](https://evil.example) <https://evil.example|here> & "quoted"'


@pytest.fixture(params=["usual", "worst", "markup"])
def card(request, topic, suggestion, mirja):
    """The day's card: as usual, with as much as there can be, and with markup in every word."""
    words = {"usual": None, "worst": WORST, "markup": MARKUP}[request.param]
    issue = Briefing.objects.create(
        day=TUESDAY, published_at=at(6), note=(words or "Good day.") * 9
    )
    for n in range(30 if words else 1):
        made = Topic.objects.create(
            slug=f"t{n}", title=(words or "Heat")[:120], rule=(words or "Say it.")[:120] * 2, light_since=at(6),
            held_at=at(7) if n % 3 == 0 else None, held_reason=(words or "Wait.") * 9, own_view=False,
        )  # fmt: skip
        BriefingItem.objects.create(briefing=issue, topic=made, position=n)
    if words:
        type(suggestion).objects.update(title=words[:120])
    return lambda: cards.of_day(TUESDAY, at(8), language="en")


def every_card(card, mirja):
    topic = Topic.objects.get(slug="wind")
    holds.hold(scope=topic, by=mirja, reason=MARKUP * 50, now=at(8))
    record = holds.HoldRecord.objects.first()
    yield card()
    yield cards.of_hold(record, paragraphs=["One.", "Two."])
    yield cards.of_release(topic)
    yield cards.of_release(None)


@pytest.mark.parametrize("language", ["de", "en"])
def test_cards_of_teams_validate_against_the_published_schema(card, mirja, language):
    jsonschema = pytest.importorskip("jsonschema")
    pytest.importorskip("adaptive_cards", reason="the schemas of Adaptive Cards are not installed")
    found = importlib.resources.files("adaptive_cards") / "schemas" / "schema-1.4.json"
    schema = json.loads(found.read_text())
    with translation.override(language):
        for made in map(cards.for_teams, every_card(card, mirja)):
            jsonschema.Draft6Validator(schema).validate(made)
            assert len(teams.written(made)) <= 28_000
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.Draft6Validator(schema).validate(
                    {**made, "body": [{"type": "Nonsense"}]}
                )


@pytest.mark.parametrize("language", ["de", "en"])
def test_cards_of_slack_pass_slacks_own_checks(card, mirja, language):
    blocks = pytest.importorskip("slack_sdk.models.blocks", reason="Slack's SDK is not installed")
    with translation.override(language):
        for made in map(cards.for_slack, every_card(card, mirja)):
            again = [one.to_dict() for one in blocks.Block.parse_all(made["blocks"])]
            assert again == made["blocks"]
            assert (len(again) <= 50, len(json.dumps(again)) <= 12_000) == (True, True)
            assert (len(made["text"]) < 4000, "<!channel>" in made["text"]) == (True, False)


def test_markup_in_a_title_is_only_words(topic, suggestion, out):
    Topic.objects.update(title=MARKUP)
    made = cards.of_day(TUESDAY, at(8), language="en")
    slack_made, teams_made = cards.for_slack(made), cards.for_teams(made)
    kinds = {one["type"] for one in slack_made["blocks"]}
    assert kinds <= {"header", "context", "rich_text", "divider"}
    assert '"mrkdwn"' not in json.dumps(slack_made)
    assert '"TextBlock"' not in json.dumps(teams_made)


def test_links_of_cards_show_a_stranger_only_the_login(out, topic, suggestion):
    """An unfurler follows each link without a session; it finds no word of ours."""
    made = cards.of_day(TUESDAY, at(8), language="en")
    links = {one.url for one in [*made.topics, *made.suggestions]} | {made.link[1]}
    assert len(links) == 3
    for link in links:
        path = link.removeprefix(django_settings.SITE_URL)
        answer = Client(headers={"user-agent": "Slackbot-LinkExpanding 1.0"}).get(path, follow=True)
        page = answer.content.decode()
        assert answer.redirect_chain[-1][0].startswith("/accounts/login/")
        assert [
            w for w in ("Wind farm", "Six years", "Tell it.", "og:", "twitter:card") if w in page
        ] == []


# The clients --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"ok": True, "ts": "1.2"}, Sent), ({"ok": True}, Unknown), ({"ok": "true", "ts": "1"}, Unknown), ([], Unknown),
        ({"ok": False, "error": "ratelimited"}, Later), ({"ok": False, "error": "internal_error"}, Unknown),
        ({"ok": False, "error": "not_in_channel"}, Refused), ({"ok": False, "error": None}, Unknown),
        ({"ok": True, "ts": {"a": 1}}, Unknown), ({"ok": True, "ts": "x" * 400}, Unknown),
    ],
)  # fmt: skip
def test_answer_of_slack(slack_server, said, kind):
    slack_server.fault("body", payload=said)
    assert isinstance(slack.post(TOKEN, CHANNEL, {"text": "x", "blocks": []}, now=at(6)), kind)


def test_token_stands_in_no_error_and_no_repr(slack_server):
    slack_server.fault("status", status=400, error=f"you sent {TOKEN}")
    result = slack.post(TOKEN, CHANNEL, {"text": "x", "blocks": []}, now=at(6))
    typed = chats.Typed(service="slack", name="x", secret=TOKEN)
    assert (TOKEN in str(result), TOKEN in repr(typed)) == (False, False)


def test_briefings_with_one_and_thirty_topics_cost_the_same(out, topic, django_assert_num_queries):
    def count():
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as found:
            cards.of_day(TUESDAY, at(8), language="en")
        return len(found)

    first = count()
    for n in range(5):
        made = Topic.objects.create(slug=f"t{n}", title="T", rule="r", light_since=at(6))
        BriefingItem.objects.create(briefing=out, topic=made, position=n + 1)
    assert count() == first
    assert briefings.of_day(TUESDAY)[0] == out
