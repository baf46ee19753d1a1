"""The company's channels: who may write, and nothing leaves that only its author has seen."""

import datetime as dt
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from ambassadors import consents
from ambassadors.models import AuditEntry
from campaigns import approvals, choices, holds
from campaigns.models import Delivery, Post
from campaigns.share_checks import ShareRefused
from campaigns.shares import Words, share
from integrations import accounts
from integrations.models import ConnectedAccount
from integrations.networks.base import Identity

from .conftest import browser
from .test_publishing import drain

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(person):
    return person("Piet", "administrator")


@pytest.fixture
def editors(person):
    return person("Jona"), person("Nam")


@pytest.fixture
def channel(mastodon, admin, editors):
    access = mastodon.access("50")
    made = accounts.connect(
        person=None, by=admin, network="mastodon", base_url=mastodon.base_url,
        identity=Identity("50", "@nordwind", "Nordwind Energie", ""), secrets_=access.secrets,
        expires_at=None, features=access.features, now=timezone.now(),
    )  # fmt: skip
    made.editors.set(editors)
    return made


@pytest.fixture
def written(suggestion, channel):
    def write(by, *to, text="Nordwind lights the street.", submission=None):
        now = timezone.now()
        words = Words(text=text, variant=suggestion.variant_set.get(), submission=submission or uuid.uuid4())  # fmt: skip
        return share(by=by, suggestion=suggestion, words=words, accounts=list(to) or [channel], due_at=now, now=now)  # fmt: skip

    return write


def test_post_for_a_channel_leaves_after_somebody_else_approved(mastodon, editors, written):
    jona, nam = editors
    [post] = written(jona)
    drain()
    assert (mastodon.count("arrived"), post.delivery.blocked) == (0, "approval")
    page = browser(nam).get("/approvals/").content.decode()
    assert "Nordwind lights the street." in page
    browser(nam).post(f"/approvals/{post.delivery.pk}/", {"sha256": post.sha256})
    drain()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.approved_by, mastodon.count("created")) == ("sent", nam, 1)


def test_nobody_approves_their_own(mastodon, editors, written):
    [post] = written(editors[0])
    client = browser(editors[0])
    page = client.get("/approvals/").content.decode()
    assert ("Somebody else approves it" in page, 'value="approve"' in page) == (True, False)
    client.post(f"/approvals/{post.delivery.pk}/", {"sha256": post.sha256})
    assert not choices.look_again(by=editors[0], delivery=post.delivery, now=timezone.now())
    drain()
    assert (Delivery.objects.get().blocked, mastodon.count("arrived")) == ("approval", 0)


def test_unblocking_by_any_other_way_does_not_send(mastodon, editors, written):
    """The start transaction asks again, whoever lost the block."""
    written(editors[0])
    Delivery.objects.update(blocked="")
    drain()
    assert (Delivery.objects.get().blocked, mastodon.count("arrived")) == ("approval", 0)
    now = timezone.now()
    Delivery.objects.update(blocked="", approved_by=editors[0], approved_at=now)
    drain()
    assert mastodon.count("arrived") == 0


def test_hold_and_release_keep_the_question(editors, written, topic):
    written(editors[0])
    holds.hold(scope=topic, by=editors[1], reason="Wait.", now=timezone.now())
    holds.release(scope=topic, by=editors[1], now=timezone.now() + dt.timedelta(minutes=1))
    assert Delivery.objects.get().blocked == "approval"


def test_stranger_does_not_approve(person, editors, written):
    [post] = written(editors[0])
    stranger = browser(person("Stranger"))
    response = stranger.post(f"/approvals/{post.delivery.pk}/", {"sha256": post.sha256})
    page = stranger.get("/approvals/").content.decode()
    assert (response.status_code, "Nordwind lights" in page) == (404, False)


def test_curator_approves_for_every_channel(person, editors, written):
    [post] = written(editors[0])
    mirja = person("Mirja", "curator")
    assert approvals.approve(
        delivery=post.delivery, sha256=post.sha256, by=mirja, now=timezone.now()
    )


def test_approval_is_for_the_text_that_was_shown(editors, written):
    [post] = written(editors[0])
    yes = {"delivery": post.delivery, "by": editors[1], "now": timezone.now()}
    assert not approvals.approve(sha256="0" * 64, **yes)
    assert approvals.approve(sha256=post.sha256, **yes)
    assert not approvals.approve(sha256=post.sha256, **yes)  # once
    assert AuditEntry.objects.filter(act="delivery.approved").count() == 1


def test_approval_after_the_end_is_refused(editors, written):
    [post] = written(editors[0])
    late = timezone.now() + dt.timedelta(days=2)
    assert not approvals.approve(
        delivery=post.delivery, sha256=post.sha256, by=editors[1], now=late
    )


def test_giving_back_needs_a_sentence_and_reaches_the_author(editors, written):
    [post] = written(editors[0])
    other = browser(editors[1])
    url = f"/approvals/{post.delivery.pk}/"
    empty = other.post(url, {"act": "decline", "why": " "})
    assert (empty.status_code, "Say why" in empty.content.decode()) == (422, True)
    other.post(url, {"act": "decline", "why": "The number is old."})
    page = browser(editors[0]).get(f"/posts/{post.pk}/").content.decode()
    assert "Given back: The number is old." in page
    assert Delivery.objects.get().state == "cancelled"


def test_channel_needs_no_consent_of_a_person(editors, written, mastodon):
    consents.withdraw(person=editors[0], purpose="publish", now=timezone.now())
    [post] = written(editors[0])
    assert post.delivery.blocked == "approval"


def test_removed_editor_writes_no_more_and_what_waits_is_taken_back(
    admin, editors, written, channel, mastodon
):
    jona, nam = editors
    [post] = written(jona)
    approvals.approve(delivery=post.delivery, sha256=post.sha256, by=nam, now=timezone.now())
    browser(admin).post(f"/channels/{channel.pk}/editors/{jona.pk}/remove/")
    drain()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason, mastodon.count("arrived")) == (
        "cancelled",
        "not_editor",
        0,
    )
    with pytest.raises(ShareRefused):
        written(jona, text="Another sentence.")


@pytest.fixture
def approved(editors, written, mastodon):
    """A post of the first editor that is out on the channel."""
    [post] = written(editors[0])
    now = timezone.now()
    assert approvals.approve(delivery=post.delivery, sha256=post.sha256, by=editors[1], now=now)
    drain()
    assert Delivery.objects.get().state == "sent"
    return post


def test_removed_editor_deletes_nothing_of_the_channel(admin, editors, approved, channel, mastodon):
    browser(admin).post(f"/channels/{channel.pk}/editors/{editors[0].pk}/remove/")
    for choice in ("remove", "answer_removed"):
        answer = browser(editors[0]).post(f"/posts/{approved.pk}/", {"choice": choice})
        assert (answer.status_code, len(mastodon.statuses)) == (422, 1)


def test_editor_still_deletes_their_post_of_the_channel(editors, approved, mastodon):
    browser(editors[0]).post(f"/posts/{approved.pk}/", {"choice": "remove"})
    assert len(mastodon.statuses) == 0


def test_what_stands_on_a_channel_is_not_changed_behind_the_second_editor(
    editors, approved, topic, mastodon
):
    holds.hold(scope=topic, by=editors[1], reason="Wait.", now=timezone.now())
    author = browser(editors[0])
    page = author.get(f"/posts/{approved.pk}/").content.decode()
    assert ("I changed it there myself." in page, "Change it there." in page) == (True, False)
    author.post(f"/posts/{approved.pk}/", {"choice": "answer_edited", "text": "Nobody saw this."})
    approved.refresh_from_db()
    assert approved.text == "Nordwind lights the street."
    [status] = mastodon.statuses.values()
    assert "Nobody saw this." not in str(status)


def test_editor_is_added_by_an_administrator_by_address(admin, channel, person):
    lea = person("Lea")
    url = f"/channels/{channel.pk}/editors/"
    assert browser(lea).post(url, {"email": lea.email}).status_code == 403
    wrong = browser(admin).post(url, {"email": "nobody@example.org"})
    page = wrong.content.decode()
    assert (wrong.status_code, "nobody@example.org" in page, 'aria-invalid="true"' in page) == (
        422,
        True,
        True,
    )
    assert browser(admin).post(url, {"email": lea.email.upper()}).status_code == 302
    assert lea in channel.editors.all()


@pytest.mark.parametrize("typed", ["\x00", "lea\x00@example.org"])
def test_nul_in_the_forms_of_channels_gets_a_sentence(admin, editors, channel, written, typed):
    [post] = written(editors[0])
    added = browser(admin).post(f"/channels/{channel.pk}/editors/", {"email": typed})
    assert (added.status_code, "Nobody here has" in added.content.decode()) == (422, True)
    approved = browser(editors[1]).post(f"/approvals/{post.delivery.pk}/", {"sha256": typed})
    assert (approved.status_code, Delivery.objects.get().blocked) == (302, "approval")


def test_page_of_channels_opens_for_administrators_and_curators(admin, channel, person):
    opens = {
        role: browser(person("X", role)).get("/channels/").status_code
        for role in ("administrator", "curator", "hr", "ambassador")
    }
    assert opens == {"administrator": 200, "curator": 200, "hr": 403, "ambassador": 403}
    page = browser(person("Mirja", "curator")).get("/channels/").content.decode()
    assert ("Disconnect" in page, "by Piet" in page) == (False, True)


def test_composer_lists_channels_apart_and_chooses_none_by_itself(
    channel, editors, suggestion, person
):
    page = browser(editors[0]).get(f"/suggestions/{suggestion.pk}/").content.decode()
    part = page[page.index("Channels of the company") :]
    box = part[part.index("<input") : part.index("Nordwind Energie")]
    assert (f'value="{channel.pk}"' in box, "checked" in box) == (True, False)
    other = browser(person("Other")).get(f"/suggestions/{suggestion.pk}/").content.decode()
    assert "Nordwind Energie" not in other


def test_two_accounts_of_one_network_make_two_posts(written, editors, mastodon, account_on):
    jona = editors[0]
    one, two = account_on(jona, mastodon, "1"), account_on(jona, mastodon, "2")
    form = uuid.uuid4()
    first = written(jona, one, two, submission=form)
    second = written(jona, one, two, submission=form)
    assert (len({post.pk for post in first}), first == second) == (2, True)
    assert sorted(Post.objects.values_list("delivery__account", flat=True)) == [one.pk, two.pk]


def test_account_of_somebody_else_is_refused(written, editors, mastodon, account_on):
    theirs = account_on(editors[1], mastodon, "1")
    with pytest.raises(ShareRefused):
        written(editors[0], theirs)
    assert ConnectedAccount.objects.usable_by(editors[0]).filter(pk=theirs.pk).count() == 0


def test_post_without_a_picture_is_refused_where_one_is_needed(
    person, suggestion, account_on, mastodon
):
    jona, client = person("Jona Harms"), Client()
    account = account_on(jona, mastodon)
    ConnectedAccount.objects.filter(pk=account.pk).update(network="instagram")
    client.force_login(jona)
    page = client.get(f"/suggestions/{suggestion.pk}/").content.decode()
    assert "takes only posts with a picture" in page
    form = {
        "variant": suggestion.variant_set.get().pk, "text": "Mine alone.", "act": "share", "when": "now",
        "submission": str(uuid.uuid4()), "to": str(account.pk), "visibility": "public",
    }  # fmt: skip
    response = client.post(f"/suggestions/{suggestion.pk}/", form)
    assert response.status_code == 422
    assert "Instagram needs a picture, and this suggestion has none." in response.content.decode()
