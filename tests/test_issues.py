"""The day's issue: drafts, two curators, a set time, private ticks, one mail."""

import datetime as dt
import threading
from zoneinfo import ZoneInfo

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client
from django.utils import timezone

from ambassadors import retention
from ambassadors.models import AuditEntry
from campaigns import briefings, holds, issue_mails, reaching, tasks
from campaigns.briefings import Draft, IssueRefused, StaleIssue
from campaigns.models import (
    Briefing,
    BriefingItem,
    BriefingRead,
    Programme,
    Reached,
    ReachWish,
    Topic,
)

from .conftest import browser, night

pytestmark = pytest.mark.django_db

BERLIN = ZoneInfo("Europe/Berlin")
TUESDAY = dt.date(2026, 11, 24)


def at(hour, minute=0, day=TUESDAY):
    return dt.datetime.combine(day, dt.time(hour, minute), BERLIN)


@pytest.fixture
def dilan(person):
    return person("Dilan Kaya", "curator")


@pytest.fixture
def client(jona):
    return browser(jona)


@pytest.fixture
def more(topic):
    return [
        Topic.objects.create(slug=f"t{n}", title=f"Topic {n}", rule="r", light_since=timezone.now())
        for n in range(2)
    ]


def draft(topic, day=TUESDAY, **fields):
    values = {"note": "One topic.", "items": [BriefingItem(topic=topic, note="New.")], **fields}
    return Draft(day=day, **values)


@pytest.fixture
def out(topic, mirja):
    """Tuesday's issue, out since seven."""
    saved = briefings.save(draft=draft(topic), seen_revision=0, by=mirja, now=at(6))
    briefings.publish(briefing=saved, seen_revision=1, by=mirja, now=at(7))
    saved.refresh_from_db()
    return saved


# -- the life -----------------------------------------------------------------------------------


def test_issue_goes_from_draft_to_readers(topic, mirja):
    saved = briefings.save(draft=draft(topic), seen_revision=0, by=mirja, now=at(6))
    assert briefings.of_day(TUESDAY)[0] is None
    assert briefings.publish(briefing=saved, seen_revision=1, by=mirja, now=at(7)) is True
    issue, lines = briefings.of_day(TUESDAY)
    assert (issue.published_at, [(i.topic, i.note, i.line, i.rule) for i in lines]) == (
        at(7),
        [(topic, "New.", "share", "Tell it.")],
    )


def test_published_twice_is_out_once(out, dilan):
    assert briefings.publish(briefing=out, seen_revision=1, by=dilan, now=at(8)) is False
    out.refresh_from_db()
    assert (out.published_at, AuditEntry.objects.filter(act="briefing.published").count()) == (
        at(7),
        1,
    )


@pytest.mark.django_db(transaction=True)
def test_two_curators_publish_at_once_and_it_is_out_once(topic, person):
    curators = [person("Mirja", "curator"), person("Dilan", "curator")]
    saved = briefings.save(draft=draft(topic), seen_revision=0, by=curators[0], now=at(6))
    start, said = threading.Barrier(2), []

    def publish(who):
        start.wait()
        try:
            said.append(briefings.publish(briefing=saved, seen_revision=1, by=who, now=at(7)))
        finally:
            connection.close()

    threads = [threading.Thread(target=publish, args=(who,)) for who in curators]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    published = AuditEntry.objects.filter(act="briefing.published").count()
    assert (sorted(said), published) == ([False, True], 1)


@pytest.mark.django_db(transaction=True)
def test_two_curators_begin_the_same_day_and_one_is_told(topic, person):
    curators = [person("Mirja", "curator"), person("Dilan", "curator")]
    Programme.the()
    start, said = threading.Barrier(2), []

    def begin(who):
        start.wait()
        try:
            briefings.save(draft=draft(topic, note=who.name), seen_revision=0, by=who, now=at(6))
            said.append("saved")
        except StaleIssue:
            said.append("told")
        finally:
            connection.close()

    threads = [threading.Thread(target=begin, args=(who,)) for who in curators]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert (sorted(said), Briefing.objects.count(), BriefingItem.objects.count()) == (
        ["saved", "told"],
        1,
        1,
    )


def test_set_time_comes_once_whoever_ticks(topic, mirja):
    briefings.save(draft=draft(topic, publish_at=at(7)), seen_revision=0, by=mirja, now=at(6))
    assert [briefings.publish_due(now=at(6, 59)), Briefing.objects.out().count()] == [0, 0]
    assert [briefings.publish_due(now=at(7)) for _n in range(3)] == [1, 0, 0]
    assert Briefing.objects.out().count() == 1


def test_set_time_of_a_day_that_is_over_does_not_come(topic, mirja):
    briefings.save(draft=draft(topic, publish_at=at(7)), seen_revision=0, by=mirja, now=at(6))
    tomorrow = TUESDAY + dt.timedelta(days=1)
    assert briefings.publish_due(now=at(7, day=tomorrow)) == 0


def test_tick_of_a_copied_installation_publishes_nothing(topic, mirja, monkeypatch):
    now = timezone.now()
    today = briefings.today(now)
    briefings.save(
        draft=draft(topic, day=today, publish_at=now + dt.timedelta(seconds=1)),
        seen_revision=0, by=mirja, now=now,
    )  # fmt: skip
    Briefing.objects.update(publish_at=now - dt.timedelta(minutes=1))
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)
    monkeypatch.setattr(tasks.restores, "may_publish", lambda **_about: False)
    assert (tasks.issues_due(), Briefing.objects.out().count()) == (0, 0)
    monkeypatch.setattr(tasks.restores, "may_publish", lambda **_about: True)
    assert (tasks.issues_due(), Briefing.objects.out().count()) == (1, 1)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"publish_at": at(5)}, "publish_at"),
        ({"publish_at": at(7, day=TUESDAY + dt.timedelta(days=1))}, "publish_at"),
        ({"publish_at": at(7), "items": [], "note": ""}, "publish_at"),
        ({"day": TUESDAY - dt.timedelta(days=1)}, "day"),
    ],
)
def test_impossible_issue_is_refused_beside_its_field(topic, mirja, fields, field):
    with pytest.raises(IssueRefused) as refused:
        briefings.save(draft=draft(topic, **fields), seen_revision=0, by=mirja, now=at(6))
    assert (refused.value.field, Briefing.objects.count()) == (field, 0)


def test_change_after_it_is_out_is_said_and_keeps_the_lines_as_they_were(out, topic, more, mirja):
    holds.hold(scope=topic, by=mirja, reason="Wait.", now=at(9))
    items = [BriefingItem(topic=more[0]), BriefingItem(topic=topic, note="New.")]
    changed = briefings.save(
        draft=draft(topic, items=items, change_note="One more topic."),
        seen_revision=1, by=mirja, now=at(10),
    )  # fmt: skip
    lines = list(changed.briefingitem_set.values_list("topic__title", "line"))
    assert (changed.changed_at, changed.change_note, lines) == (
        at(10),
        "One more topic.",
        [("Topic 0", "share"), ("Wind farm", "share")],
    )


def test_held_topic_stands_first_even_outside_the_issue(out, topic, more, mirja):
    holds.hold(scope=more[1], by=mirja, reason="Wait.", now=at(9))
    lines = briefings.of_day(TUESDAY)[1]
    assert [line.topic for line in lines] == [more[1], topic]


def test_withdrawn_issue_is_a_draft_again(out, mirja):
    assert briefings.withdraw(briefing=out, by=mirja, now=at(8)) is True
    assert briefings.withdraw(briefing=out, by=mirja, now=at(8)) is False
    out.refresh_from_db()
    assert (briefings.of_day(TUESDAY)[0], out.withdrawn_at, out.revision) == (None, at(8), 2)
    assert briefings.publish(briefing=out, seen_revision=2, by=mirja, now=at(9)) is True


# -- the desk's page ----------------------------------------------------------------------------


def tomorrow():
    return (timezone.now().astimezone(BERLIN) + dt.timedelta(days=1)).date()


def page_of(day=None):
    return f"/desk/issues/{(day or tomorrow()).isoformat()}/"


def form(*topics, **fields):
    return {
        "item": [t.pk for t in topics], "item_note": [f"On {t.title}" for t in topics],
        "note": "Four topics.", "dial_in": "https://example.org/call", "starts_at": "08:45",
        "contact": "", "publish_at": "", "revision": "0", "act": "save", **fields,
    }  # fmt: skip


def order(page):
    return [line.split('"')[0] for line in page.split('data-title="')[1:]]


def test_buttons_order_lines_without_saving(desk, topic, more):
    def press(act, **fields):
        page = desk.post(page_of(), form(topic, *more, act=act, **fields)).content.decode()
        assert ("On Topic 1" in page, "Four topics." in page) == (
            act != f"remove:{more[1].pk}",
            True,
        )
        return order(page)

    assert press(f"up:{more[1].pk}") == ["Wind farm", "Topic 1", "Topic 0"]
    assert press(f"down:{topic.pk}") == ["Topic 0", "Wind farm", "Topic 1"]
    assert press(f"up:{topic.pk}") == ["Wind farm", "Topic 0", "Topic 1"]
    assert press(f"remove:{more[1].pk}") == ["Wind farm", "Topic 0"]
    new = Topic.objects.create(slug="n", title="New", rule="r", light_since=timezone.now())
    assert press("add", add=new.pk) == ["Wind farm", "Topic 0", "Topic 1", "New"]
    assert Briefing.objects.count() == 0


@pytest.mark.parametrize(
    "act", ["up:", "up:x", "down:" + "9" * 5000, "remove:²", "add", ":", "\x00"]
)
def test_strange_button_moves_nothing(desk, topic, more, act):
    response = desk.post(page_of(), form(topic, *more, act=act, add="9" * 5000))
    assert (response.status_code, order(response.content.decode())) == (
        200,
        ["Wind farm", "Topic 0", "Topic 1"],
    )


def test_saved_issue_has_order_notes_call_and_contact(desk, mirja, topic, more):
    desk.post(page_of(), form(more[0], topic, contact=mirja.pk))
    saved = Briefing.objects.get()
    lines = list(saved.briefingitem_set.values_list("topic__title", "note"))
    assert (lines, saved.contact, saved.dial_in) == (
        [("Topic 0", "On Topic 0"), ("Wind farm", "On Wind farm")],
        mirja,
        "https://example.org/call",
    )
    assert saved.starts_at.astimezone(BERLIN).strftime("%H:%M") == "08:45"


def test_second_save_of_an_issue_shows_both_and_loses_neither(desk, dilan, topic, more):
    desk.post(page_of(), form(topic))
    desk.post(page_of(), form(topic, revision="1", note="The first note."))
    other = browser(dilan)
    response = other.post(page_of(), form(*more, revision="1", note="The second note."))
    page = response.content.decode()
    assert (response.status_code, order(page)) == (409, ["Topic 0", "Topic 1"])
    assert [word in page for word in ("The first note.", "The second note.", "On Wind farm")] == [
        True
    ] * 3
    assert Briefing.objects.get().note == "The first note."
    revision = page.split('name="revision" value="')[1].split('"')[0]
    assert other.post(page_of(), form(*more, revision=revision)).status_code == 302


def test_publish_button_saves_and_publishes_and_an_empty_issue_stays_unsaved(desk, topic):
    refused = desk.post(page_of(), form(note="", act="publish"))
    assert (refused.status_code, Briefing.objects.count()) == (422, 0)
    desk.post(page_of(), form(topic, act="publish", publish_at="2020-01-01T07:00"))
    assert Briefing.objects.out().count() == 1


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"dial_in": "javascript:alert(1)"}, "A link that begins with https://, please."),
        ({"dial_in": "http://example.org/"}, "A link that begins with https://, please."),
        ({"dial_in": "https://example.org/" + "x" * 5000}, 'class="error"'),
        ({"dial_in": "0049 30 1234"}, "A link that begins with https://, please."),
        ({"note": "a\x00b"}, 'class="error"'),
        ({"note": "x" * 100_000}, 'class="error"'),
        ({"starts_at": "25:61"}, "Write a time, like 09:15."),
        ({"starts_at": "soon"}, "Write a time, like 09:15."),
        ({"publish_at": "2020-01-01T07:00"}, "This moment is in the past."),
        ({"publish_at": "9999-12-31T23:59"}, "This is after the day of the issue."),
        ({"publish_at": "0001-01-01T00:00"}, 'class="error"'),
        ({"publish_at": "yesterday"}, "Write a day and a time."),
        ({"contact": "9" * 5000}, 'class="error"'),
        ({"item_note": ["x" * 1001]}, "is longer than 1000 characters."),
    ],
)
def test_bad_issue_gets_a_sentence_and_keeps_what_was_typed(desk, topic, fields, word):
    data = form(topic, **{"note": "Kept note.", **fields})
    if "item_note" not in fields:
        data["item_note"] = ["Kept line."]
    response = desk.post(page_of(), data)
    page = response.content.decode()
    kept = "Kept line." if "item_note" not in fields else "Kept note."
    assert (response.status_code, word in page, kept in page) == (422, True, True)
    assert Briefing.objects.count() == 0


def test_call_in_the_hour_that_clocks_skip_gets_a_sentence(desk, topic, monkeypatch):
    monkeypatch.setattr(briefings, "FARTHEST", dt.timedelta(days=800))
    day = dt.date(2028, 3, 26)
    response = desk.post(page_of(day), form(topic, starts_at="02:30"))
    assert (response.status_code, "The clocks skip this time." in response.content.decode()) == (
        422,
        True,
    )


def test_too_many_topics_get_a_sentence(desk, topic):
    many = [
        Topic.objects.create(slug=f"m{n}", title=f"M{n}", rule="r", light_since=timezone.now())
        for n in range(13)
    ]
    response = desk.post(page_of(), form(*many))
    assert (response.status_code, "At most 12 topics" in response.content.decode()) == (422, True)


@pytest.mark.parametrize(
    "day", ["9999-12-31", "0001-01-01", "2026-02-30", "x", "2026-11-24T00:00", "%E2%80%A8"]
)
def test_day_that_is_none_is_not_found(desk, day):
    assert desk.get(f"/desk/issues/{day}/").status_code == 404
    assert desk.get(f"/issues/{day}/").status_code == 404


@pytest.mark.parametrize("day", ["9999-12-31", "2020-01-01", "soon"])
def test_other_day_that_cannot_be_is_refused_beside_the_field(desk, day):
    response = desk.get("/desk/issues/", {"day": day})
    assert (response.status_code, 'id="day-e"' in response.content.decode()) == (422, True)


def test_new_day_begins_with_call_and_topics_of_the_latest_issue(desk, mirja, topic, more):
    desk.post(page_of(), form(topic, *more, contact=mirja.pk))
    page = desk.get(page_of(tomorrow() + dt.timedelta(days=1))).content.decode()
    assert (order(page), "08:45" in page, "On Wind farm" in page) == (
        ["Wind farm", "Topic 0", "Topic 1"],
        True,
        False,
    )


@pytest.mark.parametrize("count", [1, 3])
def test_issue_page_asks_a_constant_number_of_queries(
    desk, topic, more, count, django_assert_num_queries
):
    desk.post(page_of(), form(*[topic, *more][:count]))
    desk.get(page_of())
    with django_assert_num_queries(8):
        assert desk.get(page_of()).status_code == 200


# -- readers ------------------------------------------------------------------------------------


@pytest.fixture
def todays(topic, mirja):
    """An issue that is out now."""
    now = timezone.now()
    day = briefings.today(now)
    call = {"dial_in": "https://example.org/call", "contact": mirja, "starts_at": now}
    saved = briefings.save(draft=draft(topic, day=day, **call), seen_revision=0, by=mirja, now=now)
    briefings.publish(briefing=saved, seen_revision=1, by=mirja, now=now)
    saved.refresh_from_db()
    return saved


def test_today_shows_note_call_contact_and_lines(client, todays, a_working_day):
    page = client.get("/").content.decode()
    words = [
        "One topic.",
        'href="https://example.org/call"',
        "Mirja Thomsen",
        ">New.<",
        "I have read it",
    ]
    assert [word in page for word in words] == [True] * 5


def test_draft_and_withdrawn_issue_are_nowhere_for_readers(client, todays, mirja, a_working_day):
    briefings.withdraw(briefing=todays, by=mirja, now=timezone.now())
    pages = [client.get("/"), client.get("/issues/")]
    assert ["One topic." in page.content.decode() for page in pages] == [False, False]
    assert client.get(f"/issues/{todays.day}/").status_code == 404


def test_tick_is_the_persons_alone(client, todays, jona, desk, person, a_working_day):
    address = f"/issues/{todays.day}/tick/"
    plain = desk.get(f"/desk/issues/{todays.day}/").content
    client.post(address, {"read": "yes", "from": "today"})
    client.post(address, {"read": "yes"})
    assert BriefingRead.objects.filter(person=jona).count() == 1
    assert ("Take back" in client.get("/").content.decode()) is True
    strip = lambda html: html.split(b"<main")[1].split(b"csrfmiddlewaretoken")[0]  # noqa: E731
    assert strip(desk.get(f"/desk/issues/{todays.day}/").content) == strip(plain)
    assert "Take back" not in browser(person("Nam")).get("/").content.decode()
    assert AuditEntry.objects.filter(actor_id=jona.pk, act__startswith="briefing").count() == 0
    client.post(address, {"read": "no"})
    assert BriefingRead.objects.count() == 0


def test_ticks_are_forgotten(todays, jona):
    briefings.confirm(briefing=todays, by=jona, now=at(9))
    assert [night("ticks", now=at(9) + dt.timedelta(days=d)) for d in (29, 31)] == [0, 1]


def test_page_says_for_how_long_ticks_are_kept(todays, jona, person):
    briefings.confirm(briefing=todays, by=jona, now=at(9))
    ada = person("Ada", "administrator")
    retention.change(name="ticks", typed="12", by=ada, now=timezone.now())
    assert "forgotten after 12 days" in browser(jona).get("/issues/").content.decode()


def test_issue_of_an_older_day_shows_the_lights_of_then(client, topic, mirja):
    now = timezone.now()
    day = briefings.today(now) - dt.timedelta(days=3)
    then = dt.datetime.combine(day, dt.time(7), BERLIN)
    saved = briefings.save(draft=draft(topic, day=day), seen_revision=0, by=mirja, now=then)
    briefings.publish(briefing=saved, seen_revision=1, by=mirja, now=then)
    holds.hold(scope=topic, by=mirja, reason="Wait.", now=now)
    page = client.get(f"/issues/{day}/").content.decode()
    main = page[page.index("<main") :]
    assert ("Free to share" in main, "Today: On hold" in main, "Wait." in main) == (
        True,
        True,
        False,
    )


@pytest.mark.parametrize("count", [1, 3])
def test_archive_asks_a_constant_number_of_queries(client, count, django_assert_num_queries):
    today = briefings.today(timezone.now())
    for n in range(count):
        Briefing.objects.create(day=today - dt.timedelta(days=n), published_at=timezone.now())
    client.get("/issues/")
    with django_assert_num_queries(7):
        assert client.get("/issues/").status_code == 200


def test_archive_has_pages(client):
    today = briefings.today(timezone.now())
    Briefing.objects.bulk_create(
        Briefing(day=today - dt.timedelta(days=n), published_at=timezone.now(), note=f"n{n}.")
        for n in range(25)
    )
    first, second = (client.get(f"/issues/?page={n}").content.decode() for n in (1, 2))
    assert ("n0." in first, "n24." in first, "n24." in second) == (True, False, True)


# -- mail ---------------------------------------------------------------------------------------


def ask(who, at, now):
    return reaching.wish(by=who, way="mail", at=at, now=now)


@pytest.fixture
def wish(jona):
    return ask(jona, dt.time(7, 30), at(6))


def test_nobody_gets_a_mail_who_did_not_ask(out, jona, mailoutbox):
    assert (issue_mails.send_due(now=at(12)), mailoutbox) == (0, [])


def test_mail_comes_once_at_the_persons_time(out, wish, mailoutbox):
    times = [at(7, 29), at(7, 30), at(7, 31), at(15)]
    assert [issue_mails.send_due(now=now) for now in times] == [0, 1, 0, 0]
    sent = mailoutbox[0]
    assert (sent.subject, "One topic." in sent.body, "Wind farm" in sent.body) == (
        "The situation on Tuesday, 24. November",
        True,
        True,
    )
    assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_zone_that_is_none_keeps_nobody_elses_mail_back(out, wish, person, mailoutbox):
    odd = person("Odd", timezone="Nowhere/None")
    ask(odd, dt.time(7, 30), at(6))
    assert (issue_mails.send_due(now=at(12)), len(mailoutbox)) == (2, 2)


def test_late_issue_comes_late_but_only_in_working_hours(topic, mirja, wish, mailoutbox):
    saved = briefings.save(draft=draft(topic), seen_revision=0, by=mirja, now=at(6))
    assert issue_mails.send_due(now=at(9)) == 0
    briefings.publish(briefing=saved, seen_revision=1, by=mirja, now=at(9, 30))
    evening, morning = at(19), at(8, day=TUESDAY + dt.timedelta(days=1))
    assert [issue_mails.send_due(now=now) for now in (evening, morning)] == [0, 0]
    assert issue_mails.send_due(now=at(18, 59)) == 1


def test_saturday_is_quiet(topic, mirja, wish, mailoutbox):
    saturday = dt.date(2026, 11, 28)
    saved = briefings.save(draft=draft(topic, day=saturday), seen_revision=0, by=mirja, now=at(6))
    briefings.publish(briefing=saved, seen_revision=1, by=mirja, now=at(7))
    assert issue_mails.send_due(now=at(10, day=saturday)) == 0


def test_clock_is_the_persons(out, person, mailoutbox):
    there = person("Ana", timezone="America/Sao_Paulo")  # four hours behind Berlin in November
    ask(there, dt.time(7, 30), at(6))
    assert [issue_mails.send_due(now=now) for now in (at(11, 29), at(11, 30))] == [0, 1]


@pytest.mark.parametrize("how", ["withdrawn", "stopped", "left"])
def test_mail_that_is_no_longer_wanted_does_not_leave(out, wish, jona, mirja, mailoutbox, how):
    if how == "withdrawn":
        briefings.withdraw(briefing=out, by=mirja, now=at(7, 15))
    elif how == "stopped":
        reaching.stop(person=jona, way="mail")
    else:
        type(jona).objects.filter(pk=jona.pk).update(left_at=at(7))
    assert (issue_mails.send_due(now=at(9)), mailoutbox) == (0, [])


def test_issue_that_comes_again_is_not_mailed_again(out, wish, mirja, mailoutbox):
    issue_mails.send_due(now=at(8))
    briefings.withdraw(briefing=out, by=mirja, now=at(9))
    out.refresh_from_db()
    briefings.publish(briefing=out, seen_revision=2, by=mirja, now=at(10))
    assert (issue_mails.send_due(now=at(11)), len(mailoutbox)) == (0, 1)


def test_withdrawn_between_claim_and_sending_is_not_sent(out, wish, jona, mirja, mailoutbox):
    stale = reaching.Message(jona, wish, at(7, 30), issue=Briefing.objects.get(pk=out.pk))
    briefings.withdraw(briefing=out, by=mirja, now=at(7, 30))
    assert reaching._once(stale, lambda _message: pytest.fail("sent")) is False
    assert mailoutbox == []


def test_absent_mail_server_claims_nothing(out, wish, mailoutbox, monkeypatch):
    def refuse(_self):
        raise ConnectionRefusedError

    with monkeypatch.context() as away:
        away.setattr(EmailBackend, "open", refuse)
        assert (issue_mails.send_due(now=at(8)), Reached.objects.count()) == (0, 0)
    assert issue_mails.send_due(now=at(8, 1)) == 1


def test_one_refused_address_does_not_stop_the_others(out, wish, person, mailoutbox, monkeypatch):
    from smtplib import SMTPRecipientsRefused

    nam = person("Nam")
    ask(nam, dt.time(7, 31), at(6))
    send = EmailBackend.send_messages

    def picky(self, messages):
        if messages[0].to != [nam.email]:
            raise SMTPRecipientsRefused({})
        return send(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", picky)
    assert [issue_mails.send_due(now=at(8)) for _n in range(2)] == [1, 0]
    assert [message.to for message in mailoutbox] == [[nam.email]]


@pytest.mark.django_db(transaction=True)
def test_two_workers_write_one_mail(topic, person, mailoutbox):
    mirja, jona = person("Mirja", "curator"), person("Jona")
    saved = briefings.save(draft=draft(topic), seen_revision=0, by=mirja, now=at(6))
    briefings.publish(briefing=saved, seen_revision=1, by=mirja, now=at(7))
    ask(jona, dt.time(7, 30), at(6))
    start, counts = threading.Barrier(2), []

    def work():
        start.wait()
        try:
            counts.append(issue_mails.send_due(now=at(8)))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _n in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert (sorted(counts), len(mailoutbox)) == ([0, 1], 1)


def test_one_click_stops_without_login_and_a_scanner_does_not(out, wish, jona, mailoutbox):
    issue_mails.send_due(now=at(8))
    address = mailoutbox[0].extra_headers["List-Unsubscribe"].strip("<>")
    path = address[address.index("/issue-mail/") :]
    stranger = Client(enforce_csrf_checks=True)
    assert (stranger.get(path).status_code, ReachWish.objects.count()) == (200, 1)
    answer = stranger.post(path, "List-Unsubscribe=One-Click", "application/x-www-form-urlencoded")
    assert (answer.status_code, ReachWish.objects.count()) == (200, 0)
    assert stranger.post(path).status_code == 200


@pytest.mark.parametrize("token", ["x", "1:2:3", "%00", "a" * 4000])
def test_strange_one_click_address_stops_nothing(wish, token):
    assert Client().post(f"/issue-mail/stop/{token}/").status_code in {400, 404}
    assert ReachWish.objects.count() == 1


@pytest.mark.parametrize(
    "typed", ["06:59", "19:00", "23:00", "soon", "", "07:30+05:00", "9" * 5000, "\x00"]
)
def test_time_outside_working_hours_gets_a_sentence(client, typed):
    response = client.post("/me/reach/", {"daily": "mail", "at": typed})
    assert (response.status_code, 'id="at-e"' in response.content.decode()) == (422, True)
    assert ReachWish.objects.count() == 0


def test_mail_is_asked_for_changed_and_stopped(client):
    for typed in ("07:30", "09:15"):
        client.post("/me/reach/", {"daily": "mail", "at": typed})
    assert ReachWish.objects.get().at == dt.time(9, 15)
    client.post("/me/reach/", {"daily": "none"})
    assert ReachWish.objects.count() == 0


def test_nothing_due_opens_no_connection(out, wish, monkeypatch):
    def refuse(_self):
        raise AssertionError

    monkeypatch.setattr(EmailBackend, "open", refuse)
    assert issue_mails.send_due(now=at(7, 29)) == 0
