"""My effect: one's own figures, one's best own sentence, and nobody else's."""

import csv
import datetime as dt
import io

import pytest
from django.utils import timezone

from campaigns import effect
from campaigns.models import Post

from .conftest import browser
from .test_months import say

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 10, 5, 12, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
DRAFT = "Six years of work went live. Fourteen turbines turn."


def own(who, text, **came):
    """A post that begins from the draft."""
    return say(who, came.pop("at", AT), own=60, text=text, draft=DRAFT, **came)


def test_figures_are_summed_by_network_and_nothing_is_not_zero(jona, person):
    say(jona, AT, own=40, talk=2, replies=3, measured_at=AT, clicks=7)
    say(jona, AT, own=60, replies=1, reported_at=AT)
    say(jona, AT, own=80, network="linkedin")
    say(jona, AT, network="wall", talk=9)
    say(person("Nam Other"), AT, talk=50, clicks=50)
    found = effect.of(jona, now=NOW)
    assert [(name, s.posts, s.own) for name, s in found.networks] == [
        ("mastodon", 2, 50),
        ("linkedin", 1, 80),
    ]
    whole = found.whole
    assert (whole.posts, whole.own, whole.talks, whole.replies, whole.clicks) == (3, 60, 2, 4, 7)
    assert (whole.measured, whole.reported, whole.reactions) == (True, True, None)
    assert found.networks[1][1].replies is None


def test_months_are_twelve_on_the_persons_clock(jona):
    say(jona, dt.datetime(2026, 10, 31, 23, 30, tzinfo=dt.UTC), own=30)  # November in Berlin
    say(jona, AT, own=70)
    found = effect.of(jona, now=NOW).months
    assert (len(found), found[0][0]) == (12, dt.date(2025, 12, 1))
    assert found[-2:] == [(dt.date(2026, 10, 1), 1, 70), (dt.date(2026, 11, 1), 1, 30)]


def test_best_sentence_is_the_one_people_talked_about(jona):
    own(jona, "My father asked whether this is our power now. Fourteen turbines turn.", talk=1)
    best = own(jona, f"{DRAFT} I stood beside it with cold hands. Good.", talk=4)
    own(jona, "Everybody clicked here because of the cake on it.", clicks=900)
    found = effect.of(jona, now=NOW).best
    assert (found.sentence, found.post, found.worked) == (
        "I stood beside it with cold hands.",
        best,
        True,
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (DRAFT, ""),
        ("Good so.", ""),
        ("Six years of work went live, finally.", ""),
        ("So quiet it was that we heard the sheep! Fourteen turbines turn.", "So quiet it was that we heard the sheep!"),
        ("Line one of mine is here\nSix years of work went live.", "Line one of mine is here"),
    ],
)  # fmt: skip
def test_a_sentence_is_mostly_ones_own_or_none(text, sentence, jona):
    assert effect.sentence(own(jona, text)) == sentence


def test_without_an_echo_the_newest_own_sentence_is_not_called_the_best(jona):
    own(jona, "This is what I wrote much earlier then.", at=AT - dt.timedelta(days=9))
    own(jona, "And this is what I wrote after that.")
    found = effect.of(jona, now=NOW).best
    assert (found.sentence, found.worked) == ("And this is what I wrote after that.", False)
    assert b"nobody counted" in browser(jona).get("/me/effect/").content


def test_nothing_yet_is_kind(jona):
    page = browser(jona).get("/me/effect/").content.decode()
    assert ("Nothing has left yet, and nothing has to." in page, "effect/export" in page) == (
        True,
        False,
    )


@pytest.mark.parametrize("role", ["hr", "administrator", "auditor", "curator", "legal"])
def test_nobody_else_finds_it(role, jona, person):
    """No address leads there, and whatever is added to one shows one's own."""
    own(jona, "My father asked whether this is our power now.", talk=4)
    other = browser(person("Nam Other", role))
    for path in ("/me/effect/", f"/me/effect/?person={jona.pk}&id={jona.pk}"):
        assert b"my father" not in other.get(path).content.lower()
    assert other.get(f"/me/effect/{jona.pk}/").status_code == 404
    assert b"father" not in other.post("/me/effect/export/", {"person": jona.pk}).getvalue()


def test_file_is_safe_for_spreadsheets_and_labelled(jona):
    own(jona, "=HYPERLINK(1) my words", replies=3, measured_at=AT, clicks=2)
    [head, row] = csv.reader(
        io.StringIO(browser(jona).post("/me/effect/export/").getvalue().decode())
    )
    assert dict(zip(head, row, strict=True)) == {
        "Day": "2026-10-05 14:00", "Network": "Mastodon", "Way": "copied", "Own words, per cent": "60",
        "Conversations": "", "Replies": "3", "Reactions": "", "Source of these": "measured",
        "Clicks, estimated": "2", "Address": "", "Text": "'=HYPERLINK(1) my words",
    }  # fmt: skip
    german = browser(jona).post("/me/effect/export/", {"as": "excel"}).getvalue()
    assert german.startswith("\ufeff".encode())


@pytest.mark.parametrize("count", [1, 3, 40])
def test_page_asks_as_much_for_one_post_as_for_many(count, jona, django_assert_num_queries):
    for n in range(count):
        own(
            jona,
            f"Word number {n} is one that I wrote myself.",
            at=AT - dt.timedelta(days=n),
            talk=n,
        )
    who = browser(jona)
    who.get("/me/effect/")
    with django_assert_num_queries(6):
        assert who.get("/me/effect/").status_code == 200


def test_what_was_removed_or_never_left_is_not_in_it(jona, account_on, mastodon, queue):
    queue(jona, account_on(jona, mastodon))
    assert (effect.of(jona, now=timezone.now()).whole, Post.objects.of(jona).count()) == (None, 1)
