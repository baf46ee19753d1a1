"""Texts nobody should have to expect: through composer, editor and approval."""

import time
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from campaigns import wording
from campaigns.models import Delivery, Post, Suggestion, Variant
from integrations import accounts
from integrations.models import ConnectedAccount
from integrations.networks import get
from integrations.networks.linkedin_text import escape, unescape

from .corpus import cases, value

pytestmark = pytest.mark.django_db
# How long the corpus says a text is, by the network that counts so.
WEIGHTS = {"text-034": {"x": 239, "mastodon": 239}}


@pytest.fixture
def say(suggestion, jona):
    """Copy a text as the composer's form does; Facebook takes the longest."""
    client = Client()
    client.force_login(jona)

    def send(text, **fields):
        form = {"variant": suggestion.variant_set.get().pk, "submission": str(uuid.uuid4()), "text": text,
                "act": "copy", "network": "facebook", **fields}  # fmt: skip
        return client.post(f"/suggestions/{suggestion.pk}/", form, follow=True)

    return send


@pytest.fixture
def write(person, topic):
    """Hand in a suggestion whose one wording is the text, as the editor's form does."""
    client = Client()
    client.force_login(person("Aylin", "curator"))

    def send(text, act="hand_in"):
        return client.post("/desk/suggestions/new/", {
            "topic": topic.pk, "title": "Bad text", "language": "en", "tone": "useful",
            "content_class": "employer_brand", "revision": 0, "act": act, "v_name": "One", "v_id": "",
            "v_text": text, "v_language": "en", "v_network": "",
        })  # fmt: skip

    return send


def text_of(case):
    if "raw_json" in case:  # the doors are forms; half a pair comes as the bytes it is
        return b"a\xed\xa0\x80b".decode("utf-8", "surrogateescape")
    return value(case)


def wanted(case, text):
    """What is stored: as typed, but for line ends, controls and canonical form."""
    return case.get("stored") or wording.clean(text)


@pytest.mark.parametrize("case", cases("text"))
def test_text_of_the_corpus(case, say, write):
    if "raw_json" in case:
        return _half_a_pair(case, say)
    text = text_of(case)
    if case["expect"] == "reject":
        answer = say(text)
        assert (
            answer.status_code,
            Post.objects.count(),
            'id="text-e"' in answer.content.decode(),
        ) == (422, 0, True)
        if case["id"] != "text-023":
            write(text)
            assert Suggestion.objects.filter(state="in_review", title="Bad text").count() == 0
            assert Variant.objects.filter(suggestion__title="Bad text").count() == 0
        return None
    answer = say(text)
    if case["id"] in {"text-013", "text-014"}:  # kept only after the warning
        assert (answer.status_code, "turn the direction" in answer.content.decode()) == (422, True)
        assert 'name="turns_seen"' in answer.content.decode()
        answer = say(text, turns_seen="1")
    assert answer.status_code == 200
    post = Post.objects.get()
    assert post.text == wanted(case, text)
    if case["expect"] == "accept":
        assert post.text == text.strip() or case["id"] == "text-010"
    if case["id"] in WEIGHTS:
        assert {n: get(n).length(post.text) for n in WEIGHTS[case["id"]]} == WEIGHTS[case["id"]]
    if case["expect"] == "accept" and "counts" in case:
        assert get("bluesky").length(text) == case["counts"]["graphemes"]
    write(text, act="save")
    assert Variant.objects.get(suggestion__title="Bad text").text == wanted(case, text)
    page = answer.content.decode()
    assert "<script>alert" not in page
    return None


def _half_a_pair(case, say):
    del case
    answer = say("a\ufffdb")
    assert answer.status_code == 200
    assert wording.clean("a\ud800b") == "a\ufffdb"


def test_half_a_pair_in_the_bytes_of_a_form_is_no_error(suggestion, jona):
    client = Client()
    client.force_login(jona)
    variant = suggestion.variant_set.get().pk
    body = f"variant={variant}&act=copy&network=linkedin&submission={uuid.uuid4()}&text=a%ED%A0%80b%00c"
    answer = client.post(
        f"/suggestions/{suggestion.pk}/", body, content_type="application/x-www-form-urlencoded"
    )
    assert (answer.status_code, Post.objects.get().text) == (302, "a\ufffd\ufffd\ufffdbc")


def test_text_of_ten_megabytes_is_answered_in_a_second(say):
    began = time.process_time()
    answer = say("a" * 10_000_000)
    assert (answer.status_code, Post.objects.count()) == (422, 0)
    assert time.process_time() - began < 3
    assert len(answer.content) < 25_000_000


def test_who_approves_sees_the_signs_that_turn_the_direction(suggestion, person, queue):
    author, approver = person("Aylin", "curator"), person("Dilan", "curator")
    channel = accounts.connect_wall(person=author, now=timezone.now())
    queue(author, channel, text="Rechnung \u202egpj.exe")
    ConnectedAccount.objects.filter(pk=channel.pk).update(person=None)
    channel.editors.set([author, approver])
    Delivery.objects.update(blocked="approval")
    client = Client()
    client.force_login(approver)
    page = client.get("/approvals/").content.decode()
    assert ("Rechnung ⟦U+202E⟧gpj.exe" in page, "\u202e" in page) == (True, False)


@pytest.mark.parametrize(
    "text",
    [
        "Prices (from 5 €) [new] {x} <b> a_b *c* ~d~ | e \\ f @x #tag",
        "Thanks @[Max Muster](urn:li:person:abc123)!",
    ],
)
def test_linkedins_own_signs_leave_escaped(text):
    sent = escape(text)
    bare = [
        sign for at, sign in enumerate(sent) if sign in "()[]{}<>@|~*_" and sent[at - 1] != "\\"
    ]
    assert (bare, unescape(sent)) == ([], text)
