"""Campaigns: goals without volume, and figures that never tell on fewer than five."""

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from campaigns import campaigns
from campaigns.campaigns import NotPlanned, Place, Plan, StaysThere, places, tag
from campaigns.models import Campaign, Post, Programme, Suggestion

from .conftest import browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def mirja(person):
    return person("Mirja", "curator")


def today():
    return Programme.the().today(timezone.now())


@pytest.fixture
def running(mirja, suggestion):
    """Began ten days ago, with the suggestion in it."""

    def make(**fields):
        now = timezone.now()
        given = {
            "slug": f"c-{uuid.uuid4().hex[:6]}", "title": "We empower", "hashtag": "wepowerment", "description": "Why.",
            "begins_on": today() - dt.timedelta(days=10), "ends_on": today() + dt.timedelta(days=3),
            "goal_own_words": 50, "goal_conversations": 4, "submission": uuid.uuid4(), "created_by": mirja,
            "created_at": now, "changed_at": now,
        }  # fmt: skip
        made = Campaign.objects.create(**given | fields)
        Suggestion.objects.filter(pk=suggestion.pk).update(campaign=made)
        return made

    return make


@pytest.fixture
def posted(suggestion):
    def put(who, network="linkedin", *, days_ago=3, own=60, conversations=None):
        return Post.objects.create(
            person=who, suggestion=suggestion, network=network, how="copied", submission=uuid.uuid4(),
            text="x", full_text="x", language="de", own_share=own, sha256="0", conversations=conversations,
            created_at=timezone.now() - dt.timedelta(days=days_ago),
        )  # fmt: skip

    return put


def form(**fields):
    return {
        "title": "We empower", "hashtag": "#wepowerment", "description": "Why we do it.", "language": "en",
        "begins_on": today().isoformat(), "ends_on": (today() + dt.timedelta(days=20)).isoformat(),
        "goal_own_words": "50", "goal_conversations": "", "submission": str(uuid.uuid4()), **fields,
    }  # fmt: skip


def test_curator_plans_and_everybody_reads(mirja, person):
    same = form(description="Because <b>we</b> can.")
    for _ in range(2):
        answer = browser(mirja).post("/desk/campaigns/", same)
    planned = Campaign.objects.get()
    assert answer.headers["Location"] == f"/desk/campaigns/{planned.pk}/"
    assert (planned.slug, planned.hashtag, planned.stands(today())) == (
        "wepowerment",
        "wepowerment",
        "running",
    )
    page = browser(person("Jona")).get("/campaigns/wepowerment/").content.decode()
    assert ("Because &lt;b&gt;we" in page, "50 % of the words" in page) == (True, True)
    browser(mirja).post("/desk/campaigns/", form())
    assert set(Campaign.objects.values_list("slug", flat=True)) == {"wepowerment", "wepowerment-2"}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("#weiljederkundezählt", "weiljederkundezählt"),
        ("Werkstolz_2026", "Werkstolz_2026"),
        (" ＃愛 ", "愛"),
        ("a\u0308b", "äb"),
    ],
)
def test_hashtag_is_taken_without_its_sign(typed, kept):
    assert tag(typed) == kept


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("hashtag", "two words"), ("hashtag", "2026"), ("hashtag", "#"), ("hashtag", "a-b"), ("hashtag", "a\x00b"),
        ("hashtag", "x" * 81), ("hashtag", "a\u202eb"), ("ends_on", "2020-01-01"), ("begins_on", "2020-01-01"),
        ("begins_on", "9999-12-31"), ("ends_on", "9999-12-31"), ("ends_on", "2026-02-30"), ("begins_on", "0001-01-01"),
        ("title", "ㅤ"), ("title", "t" * 100_000), ("description", "\x00"), ("description", "d" * 100_000),
        ("goal_own_words", "101"), ("goal_own_words", "9" * 5000), ("goal_own_words", "-1"), ("goal_own_words", ""),
        ("goal_conversations", "a lot"), ("language", "fr"),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_bad_plan_gets_a_sentence_and_nothing_is_lost(mirja, field, typed):
    answer = browser(mirja).post("/desk/campaigns/", form(**{field: typed}))
    page = answer.content.decode()
    assert (answer.status_code, Campaign.objects.count(), 'class="error"' in page) == (422, 0, True)
    assert ("Why we do it." in page) == (field != "description")


def test_second_of_two_saves_is_refused_and_shown_both(mirja, person, running):
    campaign = running()
    seen = {"revision": "1", "begins_on": campaign.begins_on.isoformat()}
    url = f"/desk/campaigns/{campaign.pk}/"
    browser(mirja).post(url, form(description="Theirs.", **seen))
    late = browser(person("Dilan", "curator")).post(url, form(description="Mine.", **seen))
    page = late.content.decode()
    assert (late.status_code, "Theirs." in page, "Mine." in page) == (409, True, True)
    assert Campaign.objects.get().description == "Theirs."


def test_overlap_is_said_and_allowed(mirja, running):
    running(title="Werkstolz")
    answer = browser(mirja).post("/desk/campaigns/", form(), follow=True)
    assert "It overlaps with “Werkstolz”" in answer.content.decode()


def test_ended_campaign_says_so_and_offers_nothing(running, person):
    campaign = running(ends_on=today() - dt.timedelta(days=1))
    page = browser(person("Jona")).get(f"/campaigns/{campaign.slug}/").content.decode()
    assert ("What you may say" in page, "Over" in page) == (False, True)


# What happened ----------------------------------------------------------------------------------


def happened(campaign):
    return campaigns.happened(campaign, now=timezone.now())


def test_four_people_are_too_few_to_tell(running, posted, person):
    campaign = running()
    four = [person(f"Q{n}") for n in range(4)]
    for who in four:
        for _ in range(3):
            posted(who)
    assert happened(campaign) is None
    page = browser(four[0]).get(f"/campaigns/{campaign.slug}/").content.decode()
    assert "too few to tell" in page
    posted(person("Fifth"))
    assert (happened(campaign).people, happened(campaign).posts) == (5, 13)


def test_figures_move_in_steps_of_five_people(running, posted, person):
    """The difference of two days' answers is what at least five people did."""
    campaign = running()
    for number in range(6):
        posted(person(f"Early {number}"), days_ago=5, own=50)
    before = happened(campaign)
    for number in range(4):
        posted(person(f"Later {number}"), days_ago=3, own=100)
    assert happened(campaign) == before
    posted(person("The fifth"), days_ago=2, own=100)
    after = happened(campaign)
    assert (before.people, before.own_words, after.people, after.own_words) == (6, 50, 11, 73)


def test_today_is_not_counted_yet(running, posted, person):
    campaign = running()
    for number in range(6):
        posted(person(f"P{number}"), days_ago=0)
    assert happened(campaign) is None


def test_what_was_taken_back_or_lies_outside_is_not_counted(running, posted, person):
    campaign = running()
    for number in range(5):
        posted(person(f"P{number}"))
        posted(person(f"Before {number}"), days_ago=11)
    assert happened(campaign).people == 5


def test_conversations_need_five_measured_people(running, posted, person):
    campaign = running()
    for number in range(6):
        posted(person(f"P{number}"), conversations=2 if number < 4 else None)
    assert (happened(campaign).conversations, happened(campaign).conversing) == (None, None)
    posted(person("P9"), conversations=0)
    assert (happened(campaign).conversations, happened(campaign).conversing) == (8, 5)
    page = browser(person("Reader")).get(f"/campaigns/{campaign.slug}/").content.decode()
    assert "8 replies were answered by their authors, measured on posts by 5 people." in page
    assert "That is the goal, or more." in page


@pytest.mark.parametrize(
    ("groups", "shown"),
    [
        ({"x": [1, 2, 3, 4, 5]}, [(("x",), 5)]),
        # four on one network: with the smallest of the others, or their number is the difference
        ({"a": range(4), "b": range(10, 16), "c": range(20, 30)}, [(("a", "b"), 10), (("c",), 10)]),
        ({"a": range(3), "b": range(10, 12), "c": range(20, 30)}, [(("c",), 10), (("a", "b"), 5)]),
        # the same people twice are no more people
        ({"a": [1, 2, 3], "b": [1, 2, 3], "c": range(10, 15)}, [(("a", "b", "c"), 11)]),
        ({"a": range(5), "b": range(10, 15)}, [(("a",), 5), (("b",), 5)]),
    ],
)
def test_no_network_tells_what_four_people_did(groups, shown):
    found = places(groups)
    assert [(place.networks, place.posts) for place in found] == shown
    assert min(place.people for place in found) >= 5


def test_place_counts_people_once():
    assert places({"x": [1, 1, 2, 3, 4, 5]}) == (Place(("x",), 6, 5),)


# Which suggestions belong to it -----------------------------------------------------------------


@pytest.mark.parametrize(("people", "comes_in"), [(0, True), (1, False), (4, False), (5, True)])
def test_suggestion_comes_in_when_that_tells_on_nobody(
    running, posted, person, mirja, suggestion, people, comes_in
):
    campaign = running()
    Suggestion.objects.update(campaign=None)
    for number in range(people):
        posted(person(f"P{number}"))
    url = f"/desk/campaigns/{campaign.pk}/belong/"
    page = browser(mirja).post(url, {"suggestion": suggestion.pk}, follow=True).content.decode()
    suggestion.refresh_from_db()
    assert (suggestion.campaign == campaign, "it stays" in page) == (comes_in, not comes_in)


def test_suggestion_goes_out_only_while_nobody_posted(running, posted, person, mirja, suggestion):
    running()
    now = timezone.now()
    suggestion.refresh_from_db()
    for number in range(6):
        posted(person(f"P{number}"))
    with pytest.raises(StaysThere):
        campaigns.belong(suggestion=suggestion, campaign=None, by=mirja, now=now)
    Post.objects.all().delete()
    assert campaigns.belong(suggestion=suggestion, campaign=None, by=mirja, now=now)


@pytest.mark.parametrize("fields", [{"begins_on": -9}, {"ends_on": -2}])
def test_days_that_are_past_are_not_moved(running, mirja, fields):
    campaign = running()
    moved = {name: today() + dt.timedelta(days=days) for name, days in fields.items()}
    typed = {
        "title": "T", "hashtag": "t", "description": "d", "language": "de", "begins_on": campaign.begins_on,
        "ends_on": campaign.ends_on, "goal_own_words": 5, "goal_conversations": None,
    }  # fmt: skip
    with pytest.raises(NotPlanned):
        campaigns.change(
            campaign=campaign,
            typed=Plan(**typed | moved),
            seen_revision=1,
            by=mirja,
            now=timezone.now(),
        )


def test_suggestion_of_another_team_is_not_shown(running, person, suggestion):
    from ambassadors.models import Team, TeamKind

    kind = TeamKind.objects.create(slug="k", behaviour="plain", name_de="K", name_en="K")
    suggestion.teams.add(Team.objects.create(slug="t", name="T", kind=kind))
    page = browser(person("Jona")).get(f"/campaigns/{running().slug}/").content.decode()
    assert "Six years" not in page


@pytest.mark.parametrize("count", [1, 3])
def test_pages_ask_a_constant_number_of_queries(
    running, posted, person, mirja, count, django_assert_num_queries
):
    for _ in range(count):
        campaign = running()
    for number in range(4 + count):
        posted(person(f"P{number}"))
    reader, desk = browser(person("Reader")), browser(mirja)
    reader.get("/campaigns/")
    with django_assert_num_queries(5):
        reader.get("/campaigns/")
    reader.get(f"/campaigns/{campaign.slug}/")  # what all share is read once for a minute
    with django_assert_num_queries(10):
        reader.get(f"/campaigns/{campaign.slug}/")
    with django_assert_num_queries(6):
        desk.get("/desk/campaigns/")
