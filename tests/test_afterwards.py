"""What a person sees and does about posts that are out, unknown, held or copied."""

import datetime as dt
import re
import threading
import time
import uuid

import pytest
from django.core import mail
from django.db import connections
from django.test import Client
from django.utils import timezone

from ambassadors.models import AuditEntry
from campaigns import (
    choices,
    deliveries,
    holds,
    hours,
    reminders,
    shares,
    starts,
    unknowns,
    wording,
)
from campaigns.models import Delivery, FormerText, HoldAnswer, HoldRecord, Post
from campaigns.share_checks import ShareRefused
from campaigns.shares import Words
from integrations.networks import get
from integrations.networks.base import Absent, CannotTell, Sent

from .conftest import FULL
from .test_publishing import drain

pytestmark = pytest.mark.django_db
LINK = "https://mastodon.example/@jona/123"


@pytest.fixture
def client(jona):
    made = Client()
    made.force_login(jona)
    return made


@pytest.fixture
def curator(person):
    made = Client()
    made.person = person("Mirja Thomsen", "curator")
    made.force_login(made.person)
    return made


@pytest.fixture
def account(jona, mastodon, account_on):
    made = account_on(jona, mastodon)
    type(made).objects.filter(pk=made.pk).update(profile_url="https://mastodon.example/@jona")
    made.refresh_from_db()
    return made


def put(delivery, **fields):
    """Bring a row into a state without walking there."""
    Delivery.objects.filter(pk=delivery.pk).update(**fields)
    delivery.refresh_from_db()
    return delivery


@pytest.fixture
def unknown(jona, account, queue):
    """A post after a look that could not tell."""
    tried = timezone.now() - dt.timedelta(hours=1)
    return put(
        queue(jona, account), state="unknown", reason="ask_person", first_tried_at=tried, look_at=None
    )  # fmt: skip


def leave():
    """Send what is queued. Due before this test's transaction began, which is now() in SQL."""
    Delivery.objects.filter(state="queued").update(
        due_at=timezone.now() - dt.timedelta(hours=1), next_at=None
    )
    drain()


@pytest.fixture
def sent(jona, account, queue, mastodon):
    delivery = queue(jona, account)
    leave()
    delivery.refresh_from_db()
    assert delivery.state == "sent"
    return delivery


def say(client, delivery, choice, **fields):
    return client.post(f"/posts/{delivery.post_id}/", {"choice": choice, **fields})


def errors(response):
    """Sentences that stand beside a field, by the field's id."""
    page = response.content.decode()
    found = re.findall(r'<p class="error" id="([\w-]+)-e">.*?</svg>(.*?)</p>', page)
    assert all(f'aria-describedby="{name}-e"' in page for name, _ in found)
    return dict(found)


def eye(monkeypatch, seen):
    monkeypatch.setattr(type(get("mastodon")), "look", lambda *a: seen)


# Unknown --------------------------------------------------------------------------------------


def test_unknown_is_asked_with_nothing_chosen_and_is_not_called_failed(client, unknown):
    page = client.get(f"/posts/{unknown.post_id}/").content.decode()
    radios = re.findall(r'<input type="radio" name="choice" value="(\w+)"( checked)?', page)
    assert radios == [("there", ""), ("again", ""), ("withdraw", "")]
    assert 'href="https://mastodon.example/@jona"' in page
    assert "Look at your account first" in page
    assert ("failed" in page.lower(), "not published" in page) == (False, False)


def test_unknown_that_is_being_looked_for_asks_nothing(client, unknown):
    put(unknown, look_at=timezone.now() + dt.timedelta(minutes=5))
    page = client.get(f"/posts/{unknown.post_id}/").content.decode()
    assert ("Next look at" in page, 'type="radio"' in page) == (True, False)


def test_no_choice_gets_a_sentence(client, unknown):
    response = say(client, unknown, "")
    assert (response.status_code, errors(response)) == (422, {"choice": "Choose one of the three."})


@pytest.mark.parametrize(
    "url",
    [
        "", "soon", "http://mastodon.example/@jona/1", "https://evil.example/@jona/1", "https://", "https://[",
        "https://mastodon.example.evil.example/1", "https://mastodon.example@evil.example/1", "https://mastodon.example/",
        "https://mastodon.example/" + "x" * 900, "https://mastodon.example/a b", "javascript:alert(1)", "https://mastodon.example/\x00",
        "https://notmastodon.example/1",
    ],
)  # fmt: skip
def test_bad_link_gets_a_sentence_beside_its_field_and_stays_typed(client, unknown, url):
    response = say(client, unknown, "there", url=url)
    assert (response.status_code, list(errors(response))) == (422, ["url"])
    assert "checked" in response.content.decode()
    unknown.refresh_from_db()
    assert unknown.state == "unknown"


def test_link_of_a_post_nobody_can_look_for_is_kept_as_proof(client, unknown, monkeypatch):
    eye(monkeypatch, CannotTell("too many posts since"))
    assert say(client, unknown, "there", url=LINK).status_code == 302
    unknown.refresh_from_db()
    assert (unknown.state, unknown.remote_url, unknown.measure_at) == ("sent", LINK, None)


def test_networks_own_id_outweighs_the_link(client, unknown, monkeypatch):
    eye(monkeypatch, Sent("4711", "https://mastodon.example/@jona/4711"))
    say(client, unknown, "there", url=LINK)
    unknown.refresh_from_db()
    assert (unknown.state, unknown.remote_id) == ("sent", "4711")


def test_link_of_a_post_that_is_proven_absent_is_refused(client, unknown, monkeypatch):
    eye(monkeypatch, Absent())
    response = say(client, unknown, "there", url=LINK)
    assert (response.status_code, list(errors(response))) == (422, ["url"])


def test_not_there_sends_once_more(client, unknown, mastodon):
    say(client, unknown, "again", seen=unknown.fence)
    leave()
    unknown.refresh_from_db()
    assert (unknown.state, mastodon.count("created")) == ("sent", 1)


def test_second_tab_does_not_send_what_became_unknown_after_it_was_opened(
    client, unknown, mastodon
):
    page = client.get(f"/posts/{unknown.post_id}/").content.decode()
    [seen] = set(re.findall(r'name="seen" value="(\d+)"', page))
    assert say(client, unknown, "again", seen=seen).status_code == 302
    mastodon.fault("reset", applied=True)
    leave()
    unknown.refresh_from_db()
    assert (unknown.state, mastodon.count("created")) == ("unknown", 1)
    for stale in ({"seen": seen}, {}, {"seen": "\x00"}, {"seen": "9" * 30}):
        assert say(client, unknown, "again", **stale).status_code == 422
    unknown.refresh_from_db()
    assert unknown.state == "unknown"


def test_looks_of_an_earlier_try_do_not_count_for_the_one_a_person_asked_for(
    client, unknown, mastodon, monkeypatch
):
    monkeypatch.setattr(
        get("mastodon"), "abilities", _replace(get("mastodon").abilities, idempotent=False), raising=False
    )  # fmt: skip
    put(unknown, looks=1)  # absent once; the person was faster than the second look
    say(client, unknown, "again", seen=unknown.fence)
    mastodon.fault("reset", applied=False)
    leave()
    eye(monkeypatch, Absent())
    put(unknown, look_at=timezone.now() - dt.timedelta(hours=1))
    drain()
    unknown.refresh_from_db()
    assert (unknown.state, unknown.reason) == ("unknown", "looking")


def test_look_that_outlived_its_try_says_nothing_about_the_next(jona, account, queue, monkeypatch):
    monkeypatch.setattr(
        get("mastodon"), "abilities", _replace(get("mastodon").abilities, idempotent=False), raising=False
    )  # fmt: skip
    eye(monkeypatch, Absent())
    due = timezone.now() - dt.timedelta(minutes=1)
    stale = put(queue(jona, account), state="unknown", fence=1, look_at=due)
    now = Delivery.objects.get(pk=stale.pk)
    put(now, fence=2, looks=0)  # sent again by the person's wish, and unknown again
    unknowns.look(stale)
    now.refresh_from_db()
    assert (now.looks, now.look_at) == (0, due)


def test_send_again_is_gone_after_its_end(client, unknown, mastodon):
    past = timezone.now() - dt.timedelta(hours=30)
    put(unknown, due_at=past, not_after=past + dt.timedelta(hours=24))
    page = client.get(f"/posts/{unknown.post_id}/").content.decode()
    assert 'value="again"' not in page
    assert say(client, unknown, "again", seen=unknown.fence).status_code == 422
    drain()
    unknown.refresh_from_db()
    assert (unknown.state, mastodon.count("arrived")) == ("unknown", 0)


def test_left_unknown_is_never_said_to_have_not_left(client, unknown):
    say(client, unknown, "withdraw")
    page = client.get(f"/posts/{unknown.post_id}/").content.decode()
    assert ("You left it as it is" in page, "never left" in page) == (True, False)


def test_unknown_post_of_somebody_else_cannot_be_answered(unknown, person):
    other = Client()
    other.force_login(person("Nam"))
    assert say(other, unknown, "again").status_code == 404


@pytest.fixture
def daytime(monkeypatch):
    monkeypatch.setattr(hours.Hours, "quiet", lambda *a: False)


def test_one_mail_after_a_day_and_none_before_or_again(unknown, daytime, mailoutbox):
    assert reminders.remind_due() == 0
    put(unknown, first_tried_at=timezone.now() - dt.timedelta(hours=25))
    assert [reminders.remind_due() for _ in range(3)] == [1, 0, 0]
    [letter] = mailoutbox
    assert letter.to == [unknown.post.person.email]
    assert (f"/posts/{unknown.post_id}/" in letter.body, unknown.post.text in letter.body) == (
        True,
        False,
    )
    assert mail.outbox == mailoutbox


def test_no_mail_in_quiet_hours(jona):
    berlin = jona.zone
    moments = [
        dt.datetime(2026, 11, day, hour, tzinfo=berlin)
        for day, hour in [(25, 6), (25, 7), (25, 18), (25, 19), (28, 12)]
    ]
    assert [hours.of(jona, moment).quiet(moment) for moment in moments] == [
        True, False, False, True, True,
    ]  # fmt: skip


def test_today_asks_about_an_unknown_post(client, unknown):
    if timezone.now().astimezone(unknown.post.person.zone).weekday() > 4:
        pytest.skip("at the weekend Botschaft does not write")
    assert f'href="/posts/{unknown.post_id}/"' in client.get("/").content.decode()


# Hold -----------------------------------------------------------------------------------------


def stop(curator, scope="topics/{topic}", **fields):
    response = curator.post(f"/desk/{scope}/hold/", {"reason": "Wait for the facts.", **fields})
    assert response.status_code == 302, response.content.decode()
    return HoldRecord.objects.first()


@pytest.mark.parametrize("door", ["topics/{0.topic_id}", "suggestions/{0.pk}", "everything"])
def test_each_door_stops_and_resumes_and_reports(
    curator, jona, account, queue, suggestion, mastodon, door
):
    delivery = queue(jona, account)
    door = door.format(suggestion)
    record = stop(curator, door)
    drain()
    assert (record.stopped, mastodon.count("arrived")) == (1, 0)
    assert 0 <= (record.in_force_at - record.held_at).total_seconds() < 2.0
    page = curator.get(f"/desk/holds/{record.pk}/").content.decode()
    shown = ("Wait for the facts." in page, "fewer than five people" in page, "1 planned" in page)
    assert (shown, "Jona" in page) == ((True, True, False), False)
    curator.post(f"/desk/{door}/release/")
    record.refresh_from_db()
    delivery.refresh_from_db()
    assert (record.released_by, delivery.blocked) == (curator.person, "look_again")


def test_report_tells_how_a_flying_post_ended(curator, jona, account, queue, topic, monkeypatch):
    delivery = queue(jona, account)
    put(delivery, state="sending", lease_until=timezone.now() + dt.timedelta(minutes=1))
    monkeypatch.setattr(holds, "GATE_SECONDS", 0)
    record = stop(curator, f"topics/{topic.pk}")
    first = curator.get(f"/desk/holds/{record.pk}/").content.decode()
    deliveries.mark_sent(delivery, "1", "https://m.example/1", now=timezone.now())
    second = curator.get(f"/desk/holds/{record.pk}/").content.decode()
    assert "still on its way" in first
    assert ("still on its way" in second, "left before the hold" in second) == (False, True)


def test_hold_without_a_reason_gets_a_sentence_and_keeps_the_proposal(curator, topic):
    response = curator.post(
        f"/desk/topics/{topic.pk}/hold/", {"reason": " ", "proposal": "Kept proposal."}
    )
    assert (response.status_code, list(errors(response))) == (422, ["br"])
    assert "Kept proposal." in response.content.decode()
    assert HoldRecord.objects.count() == 0


ROLES = {
    "/desk/everything/hold/": {"curator", "administrator"},
    "/desk/holds/": {"curator", "administrator", "auditor"},
}


@pytest.mark.parametrize("role", ["curator", "hr", "auditor", "administrator", "ambassador"])
@pytest.mark.parametrize("url", ROLES)
def test_door_of_a_hold_opens_for_its_roles_only(person, topic, role, url):
    visitor = Client()
    visitor.force_login(person("Someone", role))
    assert visitor.get(url).status_code == (200 if role in ROLES[url] else 403)


def test_queued_post_is_shown_as_held_not_failed(client, curator, jona, account, queue, topic):
    later = timezone.now() + dt.timedelta(days=1)
    delivery = queue(jona, account, due_at=later)
    stop(curator, f"topics/{topic.pk}")
    for url in ("/posts/", f"/posts/{delivery.post_id}/"):
        page = client.get(url).content.decode()
        assert ("Stopped: the topic is on hold." in page, "not published" in page) == (True, False)


@pytest.fixture
def copied(jona, suggestion):
    words = Words("I copied this.", suggestion.variant_set.get(), uuid.uuid4())
    return shares.hand_over(
        by=jona, suggestion=suggestion, words=words, network="linkedin", how="copied", now=timezone.now()
    )  # fmt: skip


def test_who_posted_before_is_asked_once_and_who_did_not_is_not(
    client, curator, jona, sent, copied, topic, person
):
    stop(curator, f"topics/{topic.pk}", proposal="A calmer sentence.")
    asked = {q.post.pk for q in holds.questions(jona)}
    assert asked == {sent.post_id, copied.pk}
    assert holds.questions(person("Nam")) == []
    page = client.get(f"/posts/{copied.pk}/").content.decode()
    radios = re.findall(r'<input type="radio" name="choice" value="answer_(\w+)"( checked)?', page)
    assert radios == [("edited", ""), ("removed", ""), ("left", "")]
    assert "A calmer sentence." in page
    client.post(f"/posts/{copied.pk}/", {"choice": "answer_left", "asked": "1"})
    assert {q.post.pk for q in holds.questions(jona)} == {sent.post_id}
    curator.post(f"/desk/topics/{topic.pk}/release/")
    assert holds.questions(jona) == []


def test_post_after_the_hold_is_not_asked_about(curator, jona, sent, topic):
    Post.objects.update(created_at=timezone.now() + dt.timedelta(minutes=1))
    stop(curator, f"topics/{topic.pk}")
    assert holds.questions(jona) == []


def test_second_hold_asks_anew(client, curator, jona, copied, topic):
    for _ in range(2):
        stop(curator, f"topics/{topic.pk}")
        assert len(holds.questions(jona)) == 1
        client.post(f"/posts/{copied.pk}/", {"choice": "answer_left", "asked": "1"})
        assert holds.questions(jona) == []
        curator.post(f"/desk/topics/{topic.pk}/release/")
    assert HoldAnswer.objects.count() == 2


def test_question_without_a_choice_gets_a_sentence(client, curator, copied, topic):
    stop(curator, f"topics/{topic.pk}")
    page = client.post(f"/posts/{copied.pk}/", {"asked": "1"}).content.decode()
    assert "Choose one of the three." in page


def test_delete_it_there_deletes_and_remembers(client, curator, sent, topic, mastodon):
    stop(curator, f"topics/{topic.pk}")
    assert len(mastodon.statuses) == 1  # nothing behind their back
    say(client, sent, "answer_removed", asked="1")
    sent.refresh_from_db()
    assert (sent.removed_at is not None, HoldAnswer.objects.get().answer) == (True, "removed")
    network = get("mastodon")
    assert network.measure([sent.remote_id], mastodon.access()) == {}


def test_change_it_there_keeps_what_stood_before(client, curator, sent, topic, monkeypatch):
    seen = []
    able = get("mastodon")
    monkeypatch.setattr(able, "abilities", _replace(able.abilities, can_edit=True), raising=False)
    monkeypatch.setattr(
        type(able), "edit", lambda s, i, text, a: seen.append((i, text)) or Sent(i, ""), raising=False
    )  # fmt: skip
    stop(curator, f"topics/{topic.pk}", proposal="A calmer sentence.")
    before = sent.post.full_text
    assert "A calmer sentence.</textarea>" in client.get(f"/posts/{sent.post_id}/").content.decode()
    say(client, sent, "answer_edited", asked="1", text="We wait for the facts.")
    sent.post.refresh_from_db()
    assert seen == [(sent.remote_id, "We wait for the facts. #NordwindTeam")]
    assert (sent.post.text, FormerText.objects.get().full_text) == (
        "We wait for the facts.",
        before,
    )
    assert HoldAnswer.objects.get().answer == "edited"


def _replace(abilities, **fields):
    from dataclasses import replace

    return replace(abilities, **fields)


def test_post_known_by_its_link_only_is_not_said_to_be_deleted(client, unknown, monkeypatch):
    eye(monkeypatch, CannotTell("no"))
    say(client, unknown, "there", url=LINK)
    for choice in ("remove", "answer_removed", "answer_edited"):
        response = say(client, unknown, choice, text="Something else entirely.")
        unknown.refresh_from_db()
        assert (response.status_code, unknown.removed_at) == (422, None)


@pytest.mark.parametrize("choice", ["answer_removed", "answer_edited"])
def test_post_that_never_left_cannot_be_deleted_or_changed_there(
    client, jona, account, queue, choice
):
    waiting = queue(jona, account)
    response = say(client, waiting, choice, text="Something else entirely.")
    waiting.refresh_from_db()
    assert (response.status_code, waiting.state, waiting.removed_at) == (422, "queued", None)


def test_network_that_refuses_the_deletion_is_said_and_nothing_is_noted(
    client, curator, sent, topic, mastodon
):
    stop(curator, f"topics/{topic.pk}")
    mastodon.serve = lambda handler, at, body: mastodon.answer(handler, 500, {"error": "no"})
    response = say(client, sent, "answer_removed", asked="1")
    sent.refresh_from_db()
    assert (response.status_code, sent.removed_at, HoldAnswer.objects.count()) == (422, None, 0)


def test_answers_change_neither_report_nor_record_nor_consequences(
    client, curator, jona, sent, copied, topic, person
):
    record = stop(curator, f"topics/{topic.pk}")
    auditor = Client()
    auditor.force_login(person("Nele", "auditor"))

    def public():
        pages = [c.get(f"/desk/holds/{record.pk}/").content.decode() for c in (curator, auditor)]
        desk = re.sub(r'value="[\w]{64}"', "", curator.get("/desk/").content.decode())
        pages = [re.sub(r'value="[\w]{64}"', "", page) for page in pages]
        return (
            pages,
            desk,
            AuditEntry.objects.count(),
            holds.consequences(topic, now=timezone.now()),
        )

    public()  # takes the messages of the hold along
    before = public()
    say(client, sent, "answer_removed", asked="1")
    client.post(f"/posts/{copied.pk}/", {"choice": "answer_left", "asked": "1"})
    assert HoldAnswer.objects.count() == 2
    assert public() == before


@pytest.mark.parametrize(("people", "words"), [(4, "fewer than five people"), (5, "5 people")])
def test_report_counts_people_from_five_on(curator, suggestion, topic, person, people, words):
    for n in range(people):
        shares.hand_over(
            by=person(f"P{n}"), suggestion=suggestion, network="linkedin", how="copied", now=timezone.now(),
            words=Words(f"Text {n}.", suggestion.variant_set.get(), uuid.uuid4()),
        )  # fmt: skip
    record = stop(curator, f"topics/{topic.pk}")
    page = curator.get(f"/desk/holds/{record.pk}/").content.decode()
    assert (words in page, f"{people} people" in page) == (True, people >= 5)


# Change what is queued, delete what is out ----------------------------------------------------


def test_edited_post_leaves_with_the_new_text_only(client, jona, account, queue, mastodon):
    delivery = queue(jona, account, text="The old text.")
    response = say(client, delivery, "edit", text="The new text.")
    leave()
    texts = [row["text"] for row in mastodon.statuses.values()]
    states = list(Delivery.objects.order_by("pk").values_list("state", "reason"))
    assert response.status_code == 302
    assert states == [("cancelled", "edited"), ("sent", "")]
    assert texts == ["The new text. #NordwindTeam"]
    assert "The old text." not in client.get("/posts/").content.decode()


def test_edit_of_a_post_on_its_way_gets_a_sentence_and_keeps_what_was_typed(
    client, jona, account, queue
):
    delivery = put(queue(jona, account), state="sending", lease_until=timezone.now())
    response = say(client, delivery, "edit", text="The new text.")
    assert response.status_code == 422
    assert "Too late: it has left already." in response.content.decode()
    assert Post.objects.count() == 1


@pytest.mark.parametrize("text", ["", "[your part in it] is open.", "a" * 501, "one\n---\ntwo"])
def test_bad_edit_gets_a_sentence_and_changes_nothing(client, jona, account, queue, text):
    delivery = queue(jona, account, text="The old text.")
    response = say(client, delivery, "edit", text=text)
    delivery.refresh_from_db()
    assert (response.status_code, list(errors(response))) == (422, ["new"])
    assert (delivery.state, text in response.content.decode()) == ("queued", True)


def test_words_that_were_taken_back_can_be_said_again(jona, account, queue, client):
    first = queue(jona, account, text="Once more.")
    say(client, first, "withdraw")
    assert queue(jona, account, text="Once more.").pk != first.pk


def test_person_deletes_their_post_at_the_network(client, sent, mastodon):
    say(client, sent, "remove")
    sent.refresh_from_db()
    page = client.get(f"/posts/{sent.post_id}/").content.decode()
    assert (sent.removed_at is not None, sent.measure_at) == (True, None)
    assert ("Deleted at the network, as you wished." in page, "Delete it there now" in page) == (
        True,
        False,
    )


@pytest.mark.django_db(transaction=True)
def test_edit_against_start_lets_exactly_one_text_leave(jona, suggestion, account_on, mastodon):
    """Races: either the old text starts and the edit is refused, or only the new one may."""
    from integrations.models import ConnectedAccount

    first = account_on(jona, mastodon)
    now = timezone.now()
    rows = ConnectedAccount.objects.bulk_create(
        ConnectedAccount(
            person=jona, network="mastodon", base_url=mastodon.base_url, remote_id=f"r{n}", handle=f"@r{n}",
            features=first.features, connected_at=now,
        )
        for n in range(1000 if FULL else 150)
    )  # fmt: skip
    posts = Post.objects.bulk_create(
        Post(
            person=jona, suggestion=suggestion, network="mastodon", how="published", submission=uuid.uuid4(),
            text="old", full_text="old", language="en", own_share=100, sha256=wording.fingerprint("old"), created_at=now,
        )
        for _ in rows
    )  # fmt: skip
    Delivery.objects.bulk_create(
        Delivery(
            post=post, account=row, rkey="x", written_at=now, due_at=now, fence=1,
            not_after=now + dt.timedelta(hours=24), lease_until=now + dt.timedelta(hours=1),
        )
        for post, row in zip(posts, rows, strict=True)
    )  # fmt: skip
    ids = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
    both, started, edited = threading.Barrier(2, timeout=60), {}, {}

    def loaded(pk):
        related = "post__suggestion__topic", "post__link", "account"
        return Delivery.objects.select_related(*related).get(pk=pk)

    def starter():
        for pk in ids:
            row = loaded(pk)
            both.wait()
            started[pk] = starts.start(row)
        connections.close_all()

    def editor():
        late = 0.002  # seconds; moved until both win about equally often
        for pk in ids:
            late = max(late + (-0.0002 if edited and edited[pk - 1] is None else 0.0002), 0)
            row = loaded(pk)
            both.wait()
            time.sleep(late)
            try:
                edited[pk] = choices.edit(by=jona, delivery=row, text="new", now=now)
            except ShareRefused:
                edited[pk] = None
        connections.close_all()

    threads = [threading.Thread(target=work) for work in (starter, editor)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    old, new = sum(started.values()), sum(post is not None for post in edited.values())
    print(f"{len(ids)} races: the old text started {old} times, the new one stands {new} times")
    assert [pk for pk in ids if started[pk] == (edited[pk] is not None)] == []
    assert min(old, new) > len(ids) / 20  # both did win
    assert Delivery.objects.filter(state="sending", post__text="old").count() == old
    assert Delivery.objects.filter(state="queued", post__text="new").count() == new
    assert Delivery.objects.filter(state="cancelled", reason="edited").count() == new


# Reported by hand -----------------------------------------------------------------------------


def test_reported_figures_are_labelled_and_seen_by_their_person_only(client, copied, curator):
    url = "https://www.linkedin.com/posts/jona_1"
    response = client.post(
        f"/posts/{copied.pk}/", {"choice": "report", "likes": "12", "replies": "0", "url": url}
    )
    copied.refresh_from_db()
    page = client.get(f"/posts/{copied.pk}/").content.decode()
    assert response.status_code == 302
    assert (copied.likes, copied.replies, copied.impressions, copied.reported_url) == (
        12, 0, None, url,
    )  # fmt: skip
    assert ("likes, reported by you" in page, "measured" in page) == (True, False)
    assert curator.get(f"/posts/{copied.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("likes", "-1"), ("likes", "many"), ("likes", "1.5"), ("likes", "٣"), ("impressions", "9" * 30),
        ("impressions", "1000000001"), ("url", "https://evil.example/1"), ("likes", ""),
    ],
)  # fmt: skip
def test_strange_report_gets_a_sentence_beside_its_field(client, copied, field, value):
    fields = {"replies": "3"} if value else {}
    response = client.post(f"/posts/{copied.pk}/", {"choice": "report", **fields, field: value})
    copied.refresh_from_db()
    assert (response.status_code, list(errors(response))) == (422, [f"r-{field}"])
    assert (copied.reported_at, f'value="{value}"' in response.content.decode()) == (None, True)


def test_measured_post_takes_no_report(client, sent):
    Post.objects.filter(pk=sent.post_id).update(measured_at=timezone.now(), likes=3)
    say(client, sent, "report", likes="900")
    sent.post.refresh_from_db()
    page = client.get(f"/posts/{sent.post_id}/").content.decode()
    assert (sent.post.likes, "likes, measured" in page) == (3, True)


def test_what_a_network_does_not_count_is_said_and_is_not_zero(client, sent):
    page = client.get(f"/posts/{sent.post_id}/").content.decode()
    assert "Not available from Mastodon: impressions." in page
    assert ">0<" not in page


# What now -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "detail", "sentence"),
    [
        ("expired", "503", "It could not leave before its time was over, so it was not sent."),
        ("refused", "the server could not use the picture", "The network could not use the picture or document."),
        ("refused", "you already posted this", "The network has this text from you already and takes it only once."),
        ("refused", "422 Text character limit of 500 exceeded", "The network says that it is too long."),
        ("refused", "403 Forbidden", "The network does not let this account post it. Look there first."),
        ("refused", "422 Odd", "The network did not take it. It says: 422 Odd"),
    ],
)  # fmt: skip
def test_failed_post_says_why(client, jona, account, queue, reason, detail, sentence):
    delivery = put(queue(jona, account), state="failed", reason=reason, detail=detail)
    pages = [client.get(url).content.decode() for url in ("/posts/", f"/posts/{delivery.post_id}/")]
    assert [page.count(sentence) for page in pages] == [1, 1]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": "failed", "reason": "refused"}, "Was not published, Mastodon"),
        ({"blocked": "look_again"}, "Waits for you, Mastodon"),
        ({"blocked": "approval"}, "Ready: "),
    ],
)
def test_today_tells_of_posts_that_need_their_person(client, jona, account, queue, fields, words):
    put(queue(jona, account), **fields)
    page = client.get("/").content.decode()
    told = ("Was not published, Mastodon", "Waits for you, Mastodon", "Ready: ")
    assert [line for line in told if line in page] == [words]


def test_copied_text_on_hold_is_not_offered_to_be_opened(client, curator, copied, topic):
    url = f"/posts/{copied.pk}/"
    assert 'target="_blank"' in client.get(url).content.decode()
    stop(curator, f"topics/{topic.pk}")
    client.post(url, {"choice": "answer_left", "asked": "1"})
    page = client.get(url).content.decode()
    assert ('target="_blank"' in page, "please do not post it" in page) == (False, True)


def test_account_that_must_be_connected_again_is_not_chosen_beforehand(client, account, suggestion):
    box = f'name="to" value="{account.pk}"'
    url = f"/suggestions/{suggestion.pk}/"
    assert f"{box} checked" in client.get(url).content.decode()
    type(account).objects.filter(pk=account.pk).update(reconnect_reason="401")
    page = client.get(url).content.decode()
    assert (box in page, f"{box} checked" in page) == (True, False)
