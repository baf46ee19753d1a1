"""On the real PDS and AppView: what we write is shown, what others do is counted."""

import datetime as dt
import io
import time
from dataclasses import replace

import pytest
from PIL import Image

from campaigns import uploads
from integrations.networks.base import Figures, Link, Picture, Sent
from integrations.networks.bluesky import Bluesky
from integrations.wire import WireError, call

from .network import real_network
from .test_real_pds import outgoing, publish, sign_in

pytestmark = pytest.mark.bluesky
NETWORK = Bluesky()


@pytest.fixture(scope="module")
def network():
    with real_network(appview=True) as found:
        yield found


@pytest.fixture(autouse=True)
def _reachable(network, monkeypatch):
    for name, value in network.environment().items():
        monkeypatch.setenv(name, value)


def seen(question, seconds=40):
    """The AppView reads the PDS's stream: ask until it knows; returns its last answer."""
    end = time.monotonic() + seconds
    while not (found := question()) and time.monotonic() < end:
        time.sleep(0.2)
    return found


def shown(network, uri):
    answer = call("GET", f"{network.appview}/xrpc/app.bsky.feed.getPosts?uris={uri}", seconds=10)
    posts = answer.json()["posts"]
    return posts[0] if posts else None


def picture(colour):
    out = io.BytesIO()
    Image.new("RGB", (600, 400), colour).save(out, "JPEG")
    clean = uploads.encode(out.getvalue())
    return Picture(clean.content, "image/jpeg", f"A {colour} field", clean.width, clean.height)


def test_facets_are_shown_by_bytes(network):
    access, _expires, _did = sign_in(network, "texty")
    mentioned, _password, did = network.create_account("mentioned")
    text = f"Grüße 👩‍👩‍👧 @{mentioned} und @nobody.test #wind https://nordwind-energie.example/ä"
    sent = publish(outgoing(text=text), access)
    post = seen(lambda: shown(network, sent.remote_id))
    raw = post["record"]["text"].encode()
    found = [
        (raw[f["index"]["byteStart"] : f["index"]["byteEnd"]].decode(), f["features"][0])
        for f in post["record"]["facets"]
    ]
    kind = "app.bsky.richtext.facet"
    url = "https://nordwind-energie.example/ä"
    assert found == [
        (f"@{mentioned}", {"$type": f"{kind}#mention", "did": did}),
        ("#wind", {"$type": f"{kind}#tag", "tag": "wind"}),
        (url, {"$type": f"{kind}#link", "uri": url}),
    ]
    assert post["record"]["langs"] == ["de"]


def test_card_with_its_picture_is_shown(network):
    access, _expires, _did = sign_in(network, "cardy")
    link = Link("https://nordwind-energie.example/a", "Title", "Description", picture("teal"))
    sent = publish(outgoing(link=link), access)
    embed = seen(lambda: shown(network, sent.remote_id))["embed"]
    assert embed["$type"] == "app.bsky.embed.external#view"
    external = embed["external"]
    assert (external["uri"], external["title"], external["description"]) == (
        link.url, "Title", "Description",
    )  # fmt: skip
    assert external["thumb"].startswith("http")


def test_four_pictures_are_shown_with_their_descriptions(network):
    access, _expires, _did = sign_in(network, "picty")
    pictures = tuple(map(picture, ("teal", "navy", "olive", "maroon")))
    sent = publish(outgoing(pictures=pictures), access)
    embed = seen(lambda: shown(network, sent.remote_id))["embed"]
    assert embed["$type"] == "app.bsky.embed.images#view"
    assert [(i["alt"], i["aspectRatio"]) for i in embed["images"]] == [
        (p.alt, {"width": 600, "height": 400}) for p in pictures
    ]


def test_thread_of_three_is_one_thread(network):
    access, _expires, _did = sign_in(network, "thready")
    parts = []
    for number in range(3):
        before, first = (parts[-1].remote_id, parts[0].remote_id) if parts else ("", "")
        post = outgoing(text=f"Part {number}", reply_to=before, root=first)
        parts.append(publish(post, access))
        assert publish(replace(post, first_tried_at=dt.datetime.now(dt.UTC)), access) == parts[-1]
    seen(lambda: shown(network, parts[2].remote_id))
    url = f"{network.appview}/xrpc/app.bsky.feed.getPostThread?uri={parts[0].remote_id}"
    node, texts = call("GET", url, seconds=10).json()["thread"], []
    while node:
        texts.append(node["post"]["record"]["text"])
        node = (node.get("replies") or [None])[0]
    assert texts == ["Part 0", "Part 1", "Part 2"]


def test_like_repost_quote_and_answered_reply_of_a_second_account_are_counted(network):
    access, _expires, did = sign_in(network, "counted")
    sent = publish(outgoing(text="Count me"), access)
    other, token = network.other("adareads")
    subject = next(
        {"uri": r["uri"], "cid": r["cid"]}
        for r in network.records(did) if r["uri"] == sent.remote_id
    )  # fmt: skip
    for kind in ("app.bsky.feed.like", "app.bsky.feed.repost"):
        network.create(other, token, kind, subject=subject)
    network.create(
        other, token, "app.bsky.feed.post", text="See", embed={"$type": "app.bsky.embed.record", "record": subject},
    )  # fmt: skip
    asked = network.create(
        other, token, "app.bsky.feed.post", text="Why?", reply={"root": subject, "parent": subject}
    )
    network.create(
        other, token, "app.bsky.feed.post", text="And?", reply={"root": subject, "parent": subject}
    )
    whole = Figures(likes=1, reposts=1, replies=2, quotes=1)
    assert seen(lambda: NETWORK.measure([sent.remote_id], access).get(sent.remote_id) == whole)
    assert NETWORK.conversations(sent.remote_id, access) == 0
    answer = outgoing(text="Because", reply_to=asked["uri"], root=sent.remote_id)
    assert isinstance(publish(answer, access), Sent)
    assert seen(lambda: NETWORK.conversations(sent.remote_id, access)) == 1


def test_deleted_post_is_absent_from_the_figures_of_the_others(network):
    access, _expires, did = sign_in(network, "deleter")
    ids = [publish(outgoing(text=str(n)), access).remote_id for n in range(25)]
    assert seen(lambda: set(NETWORK.measure(ids, access)) == set(ids))
    NETWORK.remove(ids[3], access)
    assert seen(lambda: set(ids) - set(NETWORK.measure(ids, access)) == {ids[3]})
    assert len(network.records(did)) == 24
    with pytest.raises(WireError):
        NETWORK.conversations(ids[3], access)


def test_server_says_how_large_a_picture_it_takes(network):
    from integrations.networks.bluesky_session import blob_limit

    assert blob_limit(network.pds) == 5 * 1024 * 1024
