"""Threads: parts by a line ---, in their order, each counted alone, stopped together."""

import datetime as dt
import re
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from campaigns import choices, claims, deliveries, shares, timeoff, wording
from campaigns.models import Delivery, Post
from campaigns.share_checks import ShareRefused
from campaigns.shares import Words

from .test_publishing import drain

pytestmark = pytest.mark.django_db
THREAD = "The first part.\n---\nThe second part.\n --- \nThe third part."


@pytest.fixture
def share(jona, suggestion):
    def make(accounts, text=THREAD, **fields):
        now = timezone.now()
        words = Words(
            text, suggestion.variant_set.get(), fields.pop("submission", uuid.uuid4()), **fields
        )
        return shares.share(by=jona, suggestion=suggestion, words=words, accounts=accounts, due_at=now, now=now)  # fmt: skip

    return make


def parts():
    return Post.objects.order_by("part").values_list("part", "text", "full_text")


def test_text_is_cut_at_lines_of_three_hyphens_only():
    assert wording.parts("a --- b\n----\n-- -") == ["a --- b\n----\n-- -"]
    assert wording.parts("a\n---\n\nb\n\t---\t\nc") == ["a", "b", "c"]


def test_parts_are_chained_and_label_and_link_complete_the_first(
    jona, share, suggestion, account_on, mastodon
):
    suggestion.link_url = "https://nordwind.example/wind"
    suggestion.save()
    [first] = share([account_on(jona, mastodon)])
    link = first.full_text.splitlines()[-1]
    assert list(parts()) == [
        (0, "The first part.", f"The first part. #NordwindTeam\n{link}"),
        (1, "The second part.", "The second part."),
        (2, "The third part.", "The third part."),
    ]
    rows = list(Delivery.objects.select_related("post").order_by("post__part"))
    assert [row.post.before for row in rows] == [None, rows[0].post, rows[1].post]
    assert rows[0].due_at < rows[1].due_at < rows[2].due_at


def test_same_form_twice_makes_one_thread(jona, share, account_on, mastodon):
    account, submission = account_on(jona, mastodon), uuid.uuid4()
    again = [share([account], submission=submission) for _ in range(2)]
    assert (again[0], Post.objects.count()) == (again[1], 3)


def test_two_accounts_on_one_network_get_a_thread_each(jona, share, account_on, mastodon):
    share([account_on(jona, mastodon), account_on(jona, mastodon, "2")])
    assert Delivery.objects.count() == 6


@pytest.mark.parametrize(
    "text",
    ["one\n---\n", "---\none", "one\n---\n[your part in it] here", "one\n---\n" + "a" * 501, "\n---\n".join("abcdefghijklmnopqrstu")],
    ids=["empty", "begins", "gap", "long", "many"],
)  # fmt: skip
def test_bad_part_refuses_the_whole_thread(jona, share, account_on, mastodon, text):
    with pytest.raises(ShareRefused) as refused:
        share([account_on(jona, mastodon)], text=text)
    assert (refused.value.field, Post.objects.count()) == ("text", 0)


def test_each_part_is_counted_on_its_own(jona, share, account_on, mastodon):
    share([account_on(jona, mastodon)], text="a" * 480 + "\n---\n" + "b" * 500)
    assert Post.objects.count() == 2


def test_network_without_threads_refuses_in_a_sentence(
    jona, suggestion, share, account_on, mastodon
):
    account = account_on(jona, mastodon)
    account.network = "linkedin"
    with pytest.raises(ShareRefused) as refused:
        share([account])
    assert refused.value.sentence == "LinkedIn has no threads: take out the line ---."
    client = Client()
    client.force_login(jona)
    form = {
        "variant": suggestion.variant_set.get().pk, "text": THREAD, "submission": str(uuid.uuid4()),
        "act": "copy", "network": "linkedin",
    }  # fmt: skip
    page = client.post(f"/suggestions/{suggestion.pk}/", form)
    assert (page.status_code, 'id="text-e"' in page.content.decode()) == (422, True)


def test_taking_back_a_part_takes_back_what_follows(jona, share, account_on, mastodon):
    share([account_on(jona, mastodon)])
    second = Delivery.objects.get(post__part=1)
    choices.withdraw(by=jona, delivery=second, now=timezone.now())
    found = Delivery.objects.order_by("post__part").values_list("state", "reason")
    assert list(found) == [("queued", ""), ("cancelled", "withdrawn"), ("cancelled", "thread")]


def test_edited_part_keeps_its_place(jona, share, account_on, mastodon):
    share([account_on(jona, mastodon)])
    second = Delivery.objects.select_related("post").get(post__part=1)
    new = choices.edit(by=jona, delivery=second, text="Better.", now=timezone.now())
    third = Post.objects.get(part=2)
    assert (new.part, new.before.part, third.before) == (1, 0, new)


@pytest.mark.django_db(transaction=True)
def test_thread_leaves_in_order_and_its_page_shows_the_parts(jona, share, account_on, mastodon):
    [first] = share([account_on(jona, mastodon)])
    moved = timezone.now() - dt.timedelta(minutes=1)
    for part, row in enumerate(Delivery.objects.order_by("post__part")):
        Delivery.objects.filter(pk=row.pk).update(due_at=moved + dt.timedelta(seconds=part))
    drain()
    ids = list(Delivery.objects.order_by("post__part").values_list("remote_id", flat=True))
    assert ids == sorted(ids, key=int)
    assert len(mastodon.statuses) == 3
    client = Client()
    client.force_login(jona)
    page = client.get(f"/posts/{first.pk}/").content.decode()
    assert [n in page for n in ("The second part.", "The third part.")] == [True, True]
    assert client.get("/posts/").content.decode().count("rowcard__head") == 1


def test_warning_and_visibility_reach_the_post_where_the_network_knows_them(
    jona, share, account_on, mastodon, bluesky
):
    posts = share(
        [account_on(jona, mastodon), account_on(jona, bluesky)],
        text="One.", content_warning="Heights", visibility="unlisted",
    )  # fmt: skip
    assert [(p.network, p.content_warning, p.visibility) for p in posts] == [
        ("mastodon", "Heights", "unlisted"), ("bluesky", "", "public"),
    ]  # fmt: skip


def test_warning_counts_with_the_text(jona, share, account_on, mastodon):
    with pytest.raises(ShareRefused):
        share([account_on(jona, mastodon)], text="a" * 480, content_warning="b" * 10)


def test_composer_offers_the_suggestions_warning(jona, suggestion, account_on, mastodon):
    account_on(jona, mastodon)
    suggestion.content_warning = "Heights"
    suggestion.save()
    client = Client()
    client.force_login(jona)
    page = client.get(f"/suggestions/{suggestion.pk}/").content.decode()
    assert re.findall(r'id="warning"[^>]*value="(\w+)"', page) == ["Heights"]


@pytest.mark.django_db(transaction=True)
def test_thread_that_has_begun_goes_on_to_its_end_in_a_time_off_named_meanwhile(
    jona, share, account_on, mastodon
):
    share([account_on(jona, mastodon)], "One.\n---\nTwo.")
    Delivery.objects.update(due_at=timezone.now() - dt.timedelta(seconds=1))
    (claimed,) = claims.claim(limit=1)
    deliveries.deliver(claimed)
    now = timezone.now()
    today = jona.local(now).date()
    timeoff.take(by=jona, from_on=today, until_on=today, posts="move", now=now)
    drain()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
