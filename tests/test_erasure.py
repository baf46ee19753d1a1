"""Erasing somebody: fifty words of theirs in all rooms, and afterwards not one (G29)."""

import datetime as dt
import io
import uuid

import pytest
import redis
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.utils import timezone
from PIL import Image

from ambassadors import audit, consents, erasing, logins, takeout, tombstones
from ambassadors.models import (
    Absence,
    AuditEntry,
    DirectoryRow,
    Erasure,
    Membership,
    Note,
    Person,
    PrivateAddress,
    Role,
    SavedView,
    Team,
    TeamKind,
)
from ambassadors.models import LoginSession as BrowserSession
from campaigns import erasure_mails, erasures, restores, tasks
from campaigns.models import (
    Approval,
    Attempt,
    Delivery,
    Evidence,
    FormerText,
    Picture,
    Post,
    Proposal,
    ShortLink,
    Suggestion,
    Takeover,
)
from curation.models import Comment, Draft
from integrations.models import ConnectedAccount, Instance, Revocation, Token, WallPost
from people.models import Application, Booking, Call, Course, Nomination, ScimUser, Session
from reception.models import (
    CardPhoto,
    ContactCard,
    Inquiry,
    InquiryMessage,
    Offer,
    Speaker,
    SpeakerPhoto,
    Talk,
    TalkMail,
    TalkRequest,
)

from .conftest import browser

pytestmark = pytest.mark.django_db
LATER = dt.timedelta(minutes=11)


def dumped(tmp_path):
    """Every row of every table as text, every file, and everything in Redis."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            found += [f"{table}: {row}".encode() for (row,) in cursor.fetchall()]
    for session in BrowserSession.objects.all():
        found.append(str(session.get_decoded()).encode())
    found += [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    store = redis.Redis.from_url(settings.REDIS_URL)
    for key in store.scan_iter(count=1000):
        found.append(key)
        kind = store.type(key).decode()
        if kind == "string":
            found.append(store.get(key))
        elif kind == "hash":
            found.append(str(store.hgetall(key)).encode())
        elif kind == "zset":
            found.append(str(store.zrange(key, 0, -1)).encode())
    return found


def left_of(words, tmp_path):
    """Which of the words still stand anywhere, and where."""
    pieces = dumped(tmp_path)
    forms = {word: (word.encode(), word.encode().hex().encode()) for word in words}
    return {
        word: piece[:90]
        for word, looks in forms.items()
        for piece in pieces
        if any(look in piece for look in looks)
    }


class Planter:
    """Hands out words that stand nowhere else."""

    def __init__(self):
        self.words = []

    def __call__(self, before="", after=""):
        self.words.append(f"quitte{uuid.uuid4().hex[:10]}")
        return f"{before}{self.words[-1]}{after}"


def jpeg(word):
    """A picture that carries a word in its bytes."""
    made = io.BytesIO()
    Image.new("RGB", (8, 8)).save(made, "JPEG", comment=word.encode())
    return made.getvalue()


@pytest.fixture
def planted(person, suggestion, topic, account_on, mastodon, queue, mirja):
    """Somebody who did everything one can do, fifty words of theirs, and what must stay."""
    plant, now = Planter(), timezone.now()
    name = f"Jona {plant()}"
    jona = person(
        name, "curator", job_title=plant("Fitter "), external_id=plant(), interests=[plant()],
        directory_groups=[plant()],
    )  # fmt: skip
    Person.objects.filter(pk=jona.pk).update(
        email=(mail := plant("", "@example.org")), email_normalised=mail
    )
    jona.refresh_from_db()
    _as_member(jona, plant, now, mirja)
    _as_author(jona, plant, now, suggestion, account_on, mastodon, queue, topic, mirja)
    _as_contact_and_speaker(jona, plant, now)
    audit.record(
        "evidence.opened", jona, by=mirja, now=now, reason=f"{name} asked", who=name, mail=mail
    )
    handle = jona.connectedaccount_set.get(network="mastodon")
    ConnectedAccount.objects.filter(pk=handle.pk).update(
        handle=(shown := plant("@")), display_name=plant(), profile_url=plant("https://x.example/")
    )
    audit.record("account.connected", handle, by=jona, now=now, handle=shown)
    assert len(plant.words) >= 50
    return jona, plant.words


def _as_member(jona, plant, now, mirja):
    kind = TeamKind.objects.create(slug="k", behaviour="contact", name_de="K", name_en="K")
    team = Team.objects.create(slug="t", name="T", kind=kind, lead=jona)
    Membership.objects.create(
        person=jona, team=team, stage="active", started_on=now.date(), stage_since_on=now.date()
    )
    Note.objects.create(person=jona, text=plant("I think "), created_at=now)
    SavedView.objects.create(person=jona, page="desk", name=plant(), query=plant("q="))
    PrivateAddress.objects.create(person=jona, address=plant("", "@home.example"), named_at=now)
    Absence.objects.create(person=jona, deputy=mirja, until_on=now.date(), named_at=now)
    SocialAccount.objects.create(
        user=jona, provider="company", uid=plant(), extra_data={"x": plant()}
    )
    Authenticator.objects.create(user=jona, type="totp", data={"secret": plant()})
    ScimUser.objects.create(
        person=jona, user_name_key=plant(), said={"userName": plant()}, made_at=now, changed_at=now
    )
    DirectoryRow.objects.create(
        batch=uuid.uuid4(), line=1, email=plant("", "@example.org"), email_normalised=plant(),
        name=plant(), person_key=jona.pk,
    )  # fmt: skip
    call = Call.objects.create(
        slug="c", team=team, title_en="C", text_en="C", opens_at=now, made_at=now,
        closes_at=now + dt.timedelta(days=9), submission=uuid.uuid4(),
    )  # fmt: skip
    Application.objects.create(
        call=call, person=jona, why=plant("Because "), hours_per_month=1, applied_at=now,
        state="declined", decided_at=now, word=plant("No: "), topics=[plant()],
    )  # fmt: skip
    for one, other in ((jona, mirja), (mirja, jona)):
        Nomination.objects.create(
            nominator=one, nominee=other, team=team, note=plant("Take her: "), nominated_at=now,
            expires_at=now + dt.timedelta(days=9),
        )  # fmt: skip
    course = Course.objects.create(title_en="C", how="session", made_at=now)
    session = Session.objects.create(
        course=course, zone="Europe/Berlin", begins_wall="2027-01-01T10:00",
        ends_wall="2027-01-01T11:00", begins_at=now, ends_at=now + dt.timedelta(hours=1),
        trainer=jona, seats=3, changed_at=now,
    )  # fmt: skip
    Booking.objects.create(session=session, person=jona, state="waiting", since_at=now)


def _as_author(jona, plant, now, suggestion, account_on, mastodon, queue, topic, mirja):
    account = account_on(jona, mastodon)
    waiting = queue(jona, account, text=plant("My own words "), due_at=now + dt.timedelta(days=2))
    Post.objects.filter(pk=waiting.post_id).update(
        draft=plant(), content_warning=plant(), reported_url=plant("https://x.example/"),
        link=ShortLink.objects.create(code="abc", target=plant("https://x.example/")),
    )  # fmt: skip
    FormerText.objects.create(post=waiting.post, full_text=plant(), sha256="x", until=now)
    Attempt.objects.create(delivery=waiting, fence=9, began_at=now, detail=plant())
    Delivery.objects.filter(pk=waiting.pk).update(detail=plant(), kept={"media": plant()})
    second = queue(jona, account, text=plant(), due_at=now + dt.timedelta(days=2)).post
    Post.objects.filter(pk=second.pk).update(before=waiting.post, part=1)
    wall = ConnectedAccount.objects.create(
        person=jona, network="wall", base_url="http://w", remote_id=plant(), handle=plant(),
        connected_at=now,
    )  # fmt: skip
    WallPost.objects.create(
        key=uuid.uuid4(), account=wall, text=plant(), alt=plant(), created_at=now
    )
    picture = Picture(sha256=plant(), width=8, height=8, uploaded_by=jona, alt_en=plant())
    picture.file.save("p.jpg", ContentFile(jpeg(plant())))
    Proposal.objects.create(
        person=jona, text=plant("How about "), picture=picture, submission=uuid.uuid4(),
        created_at=now, state="declined", answer=plant(), answered_by=mirja, answered_at=now,
    )  # fmt: skip
    Draft.objects.create(
        person=jona, key=uuid.uuid4(), form=f"text={plant()}", at=now, suggestion=suggestion
    )
    Comment.objects.create(suggestion=suggestion, by=jona, at=now, text=plant("Rather not: "))
    channel = ConnectedAccount.objects.create(
        network="mastodon", base_url=mastodon.base_url, remote_id="company", handle="@company",
        connected_at=now, added_by=jona,
    )  # fmt: skip
    channel.editors.add(jona)
    Takeover.objects.create(
        channel=channel, person=jona, begins_at=now, ends_at=now + dt.timedelta(hours=1),
        rules=plant("Be kind, "), submission=uuid.uuid4(), planned_at=now,
    )  # fmt: skip
    topic.deputies.add(jona)
    type(topic).objects.filter(pk=topic.pk).update(owner=jona)
    # What must stay: a text that left, a suggestion of the newsroom, a yes of theirs.
    Post.objects.create(
        person=jona, network="linkedin", how="copied", submission=uuid.uuid4(), language="en",
        text="this left", full_text="this left", own_share=50, sha256="x", created_at=now,
        suggestion=suggestion,
    )  # fmt: skip
    Suggestion.objects.create(
        topic=topic, title="Company words", language="en", author=jona, changed_at=now
    )
    Approval.objects.create(
        suggestion=suggestion, revision=suggestion.revision, kind="legal", person=jona, given_at=now
    )


def _as_contact_and_speaker(jona, plant, now):
    card = ContactCard.objects.create(
        person=jona, sentence_en=plant(), job=plant(), hours=plant(), extension="1", changed_at=now
    )
    consents.give(person=jona, purpose="contact_card", now=now)
    CardPhoto.objects.create(card=card, large=jpeg(plant()), small=b"x")
    inquiry = Inquiry.objects.create(
        submission=uuid.uuid4(), language="en", digest="x", received_at=now, last_at=now,
        answer_by=now, chosen=jona, owner=jona, state="answered", answered_at=now, in_time=True,
    )  # fmt: skip
    InquiryMessage.objects.create(inquiry=inquiry, who="contact", author=jona, text=plant(), at=now)
    InquiryMessage.objects.create(inquiry=inquiry, who="asker", text="asked by a stranger", at=now)
    speaker = Speaker.objects.create(
        person=jona,
        bio=plant(),
        pronunciation=plant(),
        tech=plant(),
        places=plant(),
        changed_at=now,
    )
    SpeakerPhoto.objects.create(speaker=speaker, content=jpeg(plant()), sha256="x")
    talk = Talk.objects.create(
        speaker=speaker, title=plant(), abstract=plant(), language="en", changed_at=now,
        submission=uuid.uuid4(),
    )  # fmt: skip
    asked = TalkRequest.objects.create(
        submission=uuid.uuid4(), asker_name="Gesa", asker_email="gesa@club.example", event="Day",
        talk=talk, speaker=speaker, state="booked", booked_at=now, asked_at=now, changed_at=now,
        travel_note=plant(), tech_note=plant(),
    )  # fmt: skip
    Offer.objects.create(
        request=asked, speaker=speaker, offered_at=now, until_at=now + dt.timedelta(days=1)
    )
    TalkMail.objects.create(
        request=asked, person=jona, subject=plant(), text=plant(), written_at=now
    )


STAY = ("this left", "Company words", "asked by a stranger", "gesa@club.example")


def carry_out(now, capture):
    """The job, until it has nothing to do: leaving comes first, erasing after it."""
    done = 0
    for step in range(3):
        Revocation.objects.all().delete()  # the networks have taken their keys back
        with capture(execute=True):
            done += erasures.carry_out_due(now=now + step * LATER)
    return done


def test_nothing_of_fifty_words_is_left_anywhere(
    planted, tmp_path, mastodon, mailoutbox, django_capture_on_commit_callbacks
):
    jona, words = planted
    session = browser(jona).session
    session["kept_forms"] = {"/ideas/": words[0]}
    session.save()
    before = left_of(words, tmp_path)
    assert len(before) == len(words) >= 50, set(words) - set(before)
    now = timezone.now()
    erasure = erasures.ask(person=jona, typed=jona.email, at_once=False, by=jona, now=now)
    carry_out(erasure.due_at, django_capture_on_commit_callbacks)
    connection.check_constraints()
    found = left_of(words, tmp_path)
    print(f"{len(before)} of {len(words)} words before, {len(found)} after")
    assert found == {}
    assert set(left_of(STAY, tmp_path)) == set(STAY)
    assert Delivery.objects.filter(state__in=["queued", "sending"]).count() == 0
    erasure.refresh_from_db()
    assert (erasure.done_at is not None, erasure.report["deleted"] > 30) == (True, True)
    assert any("are erased" in mail.subject for mail in mailoutbox)


def test_what_stays_names_nobody(planted, django_capture_on_commit_callbacks):
    jona, _words = planted
    old_key = jona.evidence_key
    erasure = erasures.ask(person=jona, typed=jona.email, at_once=True, by=jona, now=timezone.now())
    carry_out(erasure.due_at, django_capture_on_commit_callbacks)
    row = Person.objects.get(pk=jona.pk)
    assert (row.name, row.is_active, row.email.endswith("@erased.invalid")) == ("–", False, True)
    assert Evidence.objects.filter(author_key=old_key).count() == 1  # the text is still provable
    assert Person.objects.filter(evidence_key=old_key).count() == 0  # and leads to nobody
    assert Approval.objects.filter(person=row).count() == 1
    assert Comment.objects.get().text == ""
    assert AuditEntry.objects.filter(act="evidence.opened").get().reason == "… asked"
    assert tombstones.returned() == []
    for rows in (Note, Post, ConnectedAccount.objects.filter(person=row), ContactCard, Token):
        assert getattr(rows, "objects", rows).count() == 0
    assert Absence.objects.count() == 0


def test_young_entries_of_the_record_cannot_be_deleted(jona):
    audit.record("x", jona, by=jona, now=timezone.now() - dt.timedelta(days=364))
    with pytest.raises(Exception, match="never changed"):
        AuditEntry.objects.filter(act="x").delete()


def every(erasure):
    return sorted(
        name
        for name, declared in takeout.untold().items()
        if declared.erasure == erasure and name.startswith(("campaigns", "people", "reception"))
    )


@pytest.mark.parametrize("erasure", [takeout.DELETED, takeout.NAMELESS])
def test_declarations_of_columns_can_be_carried_out(jona, erasure):
    """Each named column exists, and its way out runs."""
    for _field, rows in erasing._untold(jona, erasure):
        assert rows.count() == 0
    assert every(erasure)


def test_days_to_think_can_be_used(jona, account_on, mastodon, queue):
    account = account_on(jona, mastodon)
    queue(jona, account, due_at=timezone.now() + dt.timedelta(days=1))
    client = browser(jona)
    answer = client.post("/me/data/erase/", {"typed": jona.email.upper(), "when": "later"})
    assert (answer.status_code, answer["Location"]) == (302, "/me/data/erase/")
    assert Delivery.objects.get().state == "cancelled"
    assert (Token.objects.count(), Revocation.objects.count()) == (0, 1)
    page = client.get("/").content.decode()
    assert "as you asked" in page
    client.post("/me/data/erase/", {"act": "take_back"})
    jona.refresh_from_db()
    assert (jona.erases_at, Erasure.objects.open().count()) == (None, 0)
    assert erasures.carry_out_due(now=timezone.now() + dt.timedelta(days=40)) == 0
    assert "as you asked" not in client.get("/").content.decode()


@pytest.mark.parametrize("typed", ["", "nobody@example.org", "\x00", "x" * 100_000])
def test_nothing_begins_without_the_address(jona, typed):
    answer = browser(jona).post("/me/data/erase/", {"typed": typed, "when": "now"})
    assert (answer.status_code, b"Type the address exactly" in answer.content) == (422, True)
    assert Erasure.objects.count() == 0


def test_two_clicks_are_one_wish(jona):
    client = browser(jona)
    answers = [client.post("/me/data/erase/", {"typed": jona.email}).status_code for _ in range(2)]
    assert (answers, Erasure.objects.count()) == ([302, 422], 1)


def test_the_last_administrator_stays(person):
    ada = person("Ada", "administrator")
    client = browser(ada)
    assert "last administrator" in client.get("/me/data/erase/").content.decode()
    client.post("/me/data/erase/", {"typed": ada.email, "when": "now"})
    assert Erasure.objects.count() == 0
    second = person("Second", "administrator")
    client.post("/me/data/erase/", {"typed": ada.email})
    Role.objects.filter(person=second).delete()  # the other one is gone meanwhile
    later = timezone.now() + dt.timedelta(days=8)
    assert erasures.carry_out_due(now=later) == 0
    ada.refresh_from_db()
    assert (ada.left_at, ada.erased_at) == (None, None)


def test_hr_erases_who_left_and_nobody_else(jona, person):
    hr = browser(person("Hella", "hr"))
    path = f"/people/leaving/{jona.pk}/erase/"
    assert hr.post(path, {"typed": jona.email}).status_code == 404
    Person.objects.filter(pk=jona.pk).update(left_at=timezone.now(), is_active=False)
    assert hr.post(path, {"typed": jona.email}).status_code == 302
    page = hr.get("/people/leaving/").content.decode()
    assert ("Their data are erased on" in page, Erasure.objects.open().count()) == (True, 1)
    assert browser(person("Employee")).get(path).status_code in {403, 404}


def test_report_needs_no_login_and_names_nobody(jona, django_capture_on_commit_callbacks):
    answer = browser(jona).post("/me/data/erase/", {"typed": jona.email, "when": "now"})
    path = answer["Location"]
    stranger = Client(headers={"Accept-Language": "en"})
    assert "It is on its way" in stranger.get(path).content.decode()
    carry_out(timezone.now() + LATER, django_capture_on_commit_callbacks)
    page = stranger.get(path).content.decode()
    assert ("It is done" in page, jona.name in page, jona.email in page) == (True, False, False)
    assert stranger.get(f"/erasure/{uuid.uuid4()}/").status_code == 404


def test_session_with_a_kept_form_is_gone_and_others_stay(jona, mirja):
    for who in (jona, mirja):
        session = browser(who).session
        session["kept_forms"] = {"/ideas/": who.name}
        session.save()
    logins.end(jona)
    [other] = [one.get_decoded() for one in BrowserSession.objects.all()]
    assert other["kept_forms"] == {"/ideas/": mirja.name}


def test_erasing_the_newest_attempts_looks_like_no_restore(
    jona, account_on, mastodon, queue, django_capture_on_commit_callbacks
):
    now = timezone.now()
    delivery = queue(jona, account_on(jona, mastodon))
    assert restores.may_publish(now=now)
    attempt = Attempt.objects.create(delivery=delivery, fence=1, began_at=now)
    restores.mark(attempt.pk)
    erasure = erasures.ask(person=jona, typed=jona.email, at_once=True, by=jona, now=now)
    carry_out(erasure.due_at, django_capture_on_commit_callbacks)
    assert (Attempt.objects.count(), Instance.objects.get().erased_attempt) == (0, attempt.pk)
    assert restores.may_publish(now=now)


def test_a_name_takes_nothing_else_out_of_the_record(person):
    """Neither keys and numbers of facts, nor words that only hold the name, nor years."""
    who, now = person("Maria", external_id="2026"), timezone.now()
    facts = {
        "Maria": 20261,
        "of": "Maria",
        "id": "2026",
        "list": ["Mariam", "to Maria."],
        "on": True,
    }
    audit.record("x", who, by=None, now=now, reason="Maria in 2026, Mariam too", **facts)
    erasure = Erasure.objects.create(person=who, asked_at=now, due_at=now)
    erasing._strike(erasure, {"Maria", "2026"})
    entry = AuditEntry.objects.get(act="x")
    assert entry.reason == "… in 2026, Mariam too"
    assert entry.facts == {
        "Maria": 20261, "of": "…", "id": "…", "list": ["Mariam", "to …."], "on": True,
    }  # fmt: skip


def test_nobody_else_takes_back_what_a_person_asked_for(person):
    who, hr, now = person("Jona"), person("Selin", "hr"), timezone.now()
    erasure = erasures.ask(person=who, by=who, at_once=False, now=now, typed=who.email)
    with pytest.raises(erasures.TheirWish):
        erasures.take_back(erasure=erasure, by=hr, now=now)
    erasures.take_back(erasure=erasure, by=who, now=now)
    assert Erasure.objects.open().count() == 0


def begun(**how):
    """Ask for an erasure; the next round writes to them, once."""
    made = erasures.ask(now=timezone.now(), **how)
    assert [erasure_mails.tell_begun(now=timezone.now()) for _round in range(2)] == [1, 0]
    return made


@pytest.fixture
def outside(jona):
    """Where Jona can be written to when she has left."""
    now = timezone.now()
    PrivateAddress.objects.create(
        person=jona, address="jona@home.example", named_at=now, confirmed_at=now
    )


def test_mail_says_what_began_and_how_to_stop_it(jona, outside, mailoutbox, settings):
    erasure = begun(person=jona, typed=jona.email, at_once=False, by=jona)
    assert sorted(mail.to[0] for mail in mailoutbox) == sorted([jona.email, "jona@home.example"])
    text = mailoutbox[0].body
    day = timezone.localtime(erasure.due_at).strftime("%-d. %B %Y")
    assert (day in text, f"{settings.SITE_URL}/me/data/erase/" in text) == (True, True)
    assert (str(erasure.key) in text, jona.name in text) == (True, False)


def test_mail_speaks_the_persons_language(jona, mailoutbox):
    Person.objects.filter(pk=jona.pk).update(language="de")
    begun(person=jona, typed=jona.email, at_once=False, by=jona)
    assert mailoutbox[0].body.startswith("Du hast Botschaft gebeten")


def test_mail_of_an_erasure_at_once_promises_no_way_back(jona, mailoutbox):
    begun(person=jona, typed=jona.email, at_once=True, by=jona)
    [mail] = [mail for mail in mailoutbox if "will be erased" in mail.subject]
    assert ("nobody can take it back" in mail.body, "/me/data/erase/" in mail.body) == (True, False)
    assert mail.to == [jona.email]


def test_who_left_is_told_who_can_stop_it(jona, outside, person, mailoutbox):
    """And not in a mailbox that somebody else reads by now."""
    Person.objects.filter(pk=jona.pk).update(left_at=timezone.now(), is_active=False)
    jona.refresh_from_db()
    begun(person=jona, typed=jona.email, at_once=False, by=person("Hella", "hr"))
    [mail] = mailoutbox
    assert ("Write to HR" in mail.body, mail.to) == (True, ["jona@home.example"])


def test_last_mail_goes_where_the_first_one_went(
    jona, outside, person, mailoutbox, django_capture_on_commit_callbacks
):
    Person.objects.filter(pk=jona.pk).update(left_at=timezone.now(), is_active=False)
    jona.refresh_from_db()
    begun(person=jona, typed=jona.email, at_once=True, by=person("Hella", "hr"))
    carry_out(timezone.now() + LATER, django_capture_on_commit_callbacks)
    assert [mail.to for mail in mailoutbox] == [["jona@home.example"]] * 2
    assert ("is done" in mailoutbox[1].body, "you asked" in mailoutbox[1].body) == (True, False)


def test_a_mail_server_that_is_away_loses_no_word(jona, mailoutbox, monkeypatch):
    erasures.ask(person=jona, typed=jona.email, at_once=False, by=jona, now=timezone.now())
    with monkeypatch.context() as away:
        away.setattr("integrations.mails.send_to", lambda *_mail, **_about: False)
        assert erasure_mails.tell_begun(now=timezone.now()) == 0
    assert (len(mailoutbox), erasure_mails.tell_begun(now=timezone.now())) == (0, 1)


def test_the_job_writes_to_them(jona, mailoutbox, monkeypatch):
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)
    erasures.ask(person=jona, typed=jona.email, at_once=False, by=jona, now=timezone.now())
    assert tasks.erase_due() == 0
    assert [mail.to for mail in mailoutbox] == [[jona.email]]


def test_nobody_is_offered_to_take_back_what_is_not_theirs(jona, person):
    other = person("Nam Vu")
    hr = person("Hella", "hr")
    erasures.ask(person=jona, typed=jona.email, at_once=False, by=jona, now=timezone.now())
    Person.objects.filter(pk__in=[jona.pk, other.pk]).update(
        left_at=timezone.now(), is_active=False
    )
    other.refresh_from_db()
    erasures.ask(person=other, typed=other.email, at_once=False, by=hr, now=timezone.now())
    client = browser(hr)
    page = client.get("/people/leaving/").content.decode()
    offered = [who for who in (jona, other) if f"/people/leaving/{who.pk}/erase/" in page]
    assert (offered, page.count("only they can take it back")) == ([other], 1)
    buttons = [
        client.get(f"/people/leaving/{who.pk}/erase/").content.decode().count('value="take_back"')
        for who in (jona, other)
    ]
    assert buttons == [0, 1]
