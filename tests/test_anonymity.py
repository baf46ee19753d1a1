"""Done-when 3: no figure tells on fewer than five, whichever two answers somebody puts together.

The reader is somebody of HR: they know all rows of the roster, ask every page, file and address
as often as they like, with whatever filters, and subtract. ``docs/programme.md`` has the argument.
"""

import ast
import datetime as dt
import itertools
import random
import re
from collections import defaultdict
from functools import cached_property
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ambassadors import anonymity, consents
from ambassadors.anonymity import GROUP, STEPS, Group
from ambassadors.memberships import later
from ambassadors.models import Consent, Membership, Person, Site, Team, TeamKind
from campaigns import months
from campaigns.models import Post, Suggestion, Topic
from people import adoption, burden, concentration, roster

from .conftest import FULL, browser
from .test_architecture import CODE, ROOT, names

ORGANISATIONS, PAIRS = (250, 40) if FULL else (3, 12)
quick = settings(
    max_examples=2000 if FULL else 60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip

# Every function that tells a figure about a group, and the test that attacks it. A page that tells
# a new one adds itself; without a line here the first test fails.
PROVEN = {
    "advocacy/views/agreement.py:_facts": "test_agreement.py:test_smallest_group_stands_in_the_record",
    "advocacy/register.py:_figures": "test_docs.py:test_register_of_processing_is_current",
    "campaigns/audiences.py:reach": "test_audiences.py:test_number_is_a_step_and_never_of_fewer_than_five",
    "campaigns/evidence.py:export": "test_evidence.py:test_quarter_of_fewer_than_five_people_is_not_told",
    "campaigns/colleagues.py:step": "test_sameness.py:test_colleagues_are_told_as_a_step_and_never_a_handful",
    "campaigns/shares.py:verbatim_counts": "test_pages.py:test_small_groups_are_not_shown",
    "campaigns/campaigns.py:belong": "test_campaigns.py:test_suggestion_comes_in_when_that_tells_on_nobody",
    "campaigns/campaigns.py:happened": "test_campaigns.py:test_conversations_need_five_measured_people",
    "campaigns/campaigns.py:_last_step": "test_campaigns.py:test_figures_move_in_steps_of_five_people",
    "campaigns/campaigns.py:places": "test_campaigns.py:test_no_network_tells_what_four_people_did",
    "campaigns/holds.py:consequences": "test_afterwards.py:test_report_counts_people_from_five_on",
    **dict.fromkeys(
        (
            "campaigns/months.py:due",
            "campaigns/months.py:close",
            "campaigns/months.py:closed",
            "campaigns/months.py:_alike",
            "campaigns/months.py:tell",
            "campaigns/months.py:_cells",
            "campaigns/months.py:_enough",
            "campaigns/months.py:_holds",
            "campaigns/months.py:_cell",
            "campaigns/months.py:_rate",
            "campaigns/months.py:_total",
        ),
        "test_anonymity.py:test_whatever_is_added_and_subtracted_within_a_month_is_about_five",
    ),
    **dict.fromkeys(
        (
            "people/adoption.py:close_due",
            "people/adoption.py:of",
            "people/adoption.py:tell",
            "people/adoption.py:of_them",
        ),
        "test_anonymity.py:test_pairs_of_answers_tell_on_no_fewer_than_five",
    ),
    "campaigns/moments.py:spread": "test_calendar.py:test_fewer_than_five_people_are_no_pile",
    "campaigns/views/hold.py:_hold": "test_afterwards.py:test_report_counts_people_from_five_on",
    "campaigns/views/hold.py:hold_report": "test_afterwards.py:test_report_counts_people_from_five_on",
    "curation/board.py:add_use": "test_board.py:test_two_looks_at_a_ticket_differ_by_five_people_or_not_at_all",
    "curation/board.py:topics": "test_calendar.py:test_planned_posts_are_told_of_five_people_or_not_at_all",
    "curation/tags.py:emerging": "test_tags.py:test_what_colleagues_begin_to_use_needs_five_people",
    "curation/tones.py:uses": "test_calendar.py:test_use_of_a_suggestion_is_told_of_five_people",
    "curation/tones.py:_figures": "test_calendar.py:test_use_is_told_anew_when_five_people_changed_it",
    "curation/tones.py:alike": "test_calendar.py:test_pairs_are_of_five_different_people_within_a_week",
    "curation/calendars.py:_planned": "test_calendar.py:test_planned_posts_are_told_of_five_people_or_not_at_all",
    "people/guideline_figures.py:figures": "test_anonymity.py:test_yes_to_a_guideline_is_never_known_of_a_whole_group",
    "people/pulse.py:open_round": "test_pulse.py:test_fewer_than_five_are_not_asked_at_all",
    "people/pulse.py:_close": "test_pulse.py:test_comments_of_fewer_than_five_are_deleted_unread",
    "people/pulse.py:showable": "test_pulse.py:test_no_shown_group_and_no_rest_is_smaller_than_five",
    "people/pulse_results.py:_group": "test_pulse.py:test_what_stays_after_closing_never_stands_on_fewer_than_five",
    "reception/figures.py:_close": "test_inquiries.py:test_month_of_four_people_or_four_ratings_tells_nothing",
    "reception/talk_figures.py:of_last_quarter": "test_talks.py:test_figure_needs_five_speakers_of_a_quarter_that_is_over",
    "people/burden.py:tell": "test_anonymity.py:test_pairs_of_answers_tell_on_no_fewer_than_five",
    "people/burden.py:_group": "test_anonymity.py:test_pairs_of_answers_tell_on_no_fewer_than_five",
    "people/burden.py:burden": "test_anonymity.py:test_pairs_of_answers_tell_on_no_fewer_than_five",
    "people/burden.py:make": "test_anonymity.py:test_pairs_of_answers_tell_on_no_fewer_than_five",
    "people/concentration.py:tell": "test_anonymity.py:test_what_rests_on_three_is_blind_to_who_they_are",
    "people/concentration.py:concentration": "test_anonymity.py:test_pairs_of_answers_tell_on_no_fewer_than_five",
    "people/concentration.py:make": "test_anonymity.py:test_pairs_of_answers_tell_on_no_fewer_than_five",
    "people/coverage.py:_cells": "test_anonymity.py:test_pairs_of_answers_tell_on_no_fewer_than_five",
    "people/coverage.py:spoken": "test_anonymity.py:test_pairs_of_answers_tell_on_no_fewer_than_five",
}


def askers():
    """Every function outside of it that asks :mod:`ambassadors.anonymity` to decide."""
    found = set()
    for path in CODE:
        if path == ROOT / "ambassadors/anonymity.py" or "anonymity." not in (
            text := path.read_text()
        ):
            continue
        for function in ast.walk(ast.parse(text)):
            if isinstance(function, ast.FunctionDef) and any(
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "anonymity"
                for node in ast.walk(function)
            ):
                found.add(f"{path.relative_to(ROOT)}:{function.name}")
    return found


def test_every_figure_about_a_group_is_attacked_by_a_test():
    assert sorted(askers() - set(PROVEN)) == [], "add it to PROVEN with the test that attacks it"
    assert sorted(set(PROVEN) - askers()) == []
    tests = {
        f"{path.name}:{name}"
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert sorted(set(PROVEN.values()) - tests) == []


def test_threshold_stands_in_one_place():
    """Nobody compares with a five of their own, nor takes the decision's parts away."""
    own = [
        str(path.relative_to(ROOT))
        for path in CODE
        if path != ROOT / "ambassadors/anonymity.py"
        and re.search(
            r"k_anon|PublishedFigure\.objects|from (\.|ambassadors\.)anonymity import (?!Group\b)",
            path.read_text(),
        )
    ]
    assert own == []


def test_no_second_door_tells_figures():
    """No admin site; and the interface for programs counts nothing itself.

    It hands out what the months' closing has told, and what a person may read one by one.
    """
    from django.urls import get_resolver

    assert not apps.is_installed("django.contrib.admin")
    assert {name for name in names(get_resolver()) if "graphql" in name} == set()
    counts = {
        f"{path.name}: {word}"
        for path in (ROOT / "advocacy/api").glob("*.py")
        for word in re.findall(
            r"\b(?:Count|Sum|Avg|Min|Max|StdDev)\(|\.(?:aggregate|annotate|count)\(\)?",
            path.read_text(),
        )
    }
    assert counts == {"endpoint.py: .count("}  # requests of a key, for its limit


# -- what a told number lets somebody know ----------------------------------------------------


def bounds(step):
    """How many people a told step may stand for: one may be left out of it."""
    if step is None:
        return 0, GROUP
    return step, STEPS[STEPS.index(step) + 1]


@quick
@given(
    people=st.sets(st.integers(1, 10**6), max_size=260),
    more=st.sets(st.integers(10**7, 10**8), max_size=30),
)
def test_two_told_groups_are_subtracted(people, more):
    """One group lies in another: nothing is learnt of those between, or they are five."""
    inner, outer = anonymity.told(Group.of(people)), anonymity.told(Group.of(people | more))
    for step, group in ((inner, people), (outer, people | more)):
        low, high = bounds(step)
        assert low <= len(group) <= high
        assert step is None if len(group) < GROUP else step in (None, *STEPS)
    low, high = bounds(outer)[0] - bounds(inner)[1], bounds(outer)[1] - bounds(inner)[0]
    assert low <= 0 or len(more) >= GROUP
    assert high >= GROUP


@quick
@given(st.sets(st.integers(1, 10**6), max_size=40))
def test_same_people_are_told_the_same(people):
    parts = sorted(people)
    half = len(parts) // 2
    assert anonymity.told(Group.of(parts[:half]) + Group.of(parts[half:])) == anonymity.told(
        Group.of(people)
    )


@quick
@given(st.lists(st.integers(0, 9), min_size=1, max_size=5))
@example([2, 3])
@example([4, 4, 1])
@example([1, 7, 9])
@example([0, 5])
def test_cells_told_together_cannot_be_taken_apart(sizes):
    """Every world that fits what is told: of any few people in it there may be none, or five."""
    keys = itertools.count(1)
    cells = {n: [next(keys) for _ in range(size)] for n, size in enumerate(sizes)}
    told = anonymity.blocks({n: Group.of(people) for n, people in cells.items()})
    assert sorted(n for block in told for n in block.cells) == sorted(cells)
    for block in told:
        assert (
            block.people is None or sum(len(cells[n]) for n in block.cells) >= block.people >= GROUP
        )
        if not block.merged:
            continue
        assert block.people == GROUP
        worlds = [
            w
            for w in itertools.product(range(GROUP + 1), repeat=len(block.cells))
            if sum(w) >= GROUP
        ]
        for size in range(1, len(block.cells)):
            for some in itertools.combinations(range(len(block.cells)), size):
                if sum(len(cells[block.cells[n]]) for n in some) < GROUP:
                    possible = {sum(world[n] for n in some) for world in worlds}
                    assert {0, GROUP} <= possible


@quick
@given(st.integers(0, 30), st.integers(0, 30))
def test_yes_is_told_where_enough_said_no(yes, no):
    told = anonymity.split(Group.of(range(yes)), Group.of(range(100, 100 + no)))
    assert told is None or (yes >= told >= GROUP and no >= GROUP)
    if yes > GROUP and no > GROUP:
        assert told is not None


@quick
@given(st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), min_size=1, max_size=5))
@example([(9, 0), (1, 0)])
@example([(11, 1), (4, 0)])
def test_yes_to_a_guideline_is_never_known_of_a_whole_group(sites):
    """Of sites and of everybody: there may always be five who did not, and of a small site nobody."""
    told = [
        (anonymity.yes_at_least(yes, yes + no), yes, yes + no)
        for yes, no in sites
        if yes + no >= GROUP
    ]
    for least, yes, people in told:
        assert least % GROUP == 0 and least <= yes and people - least >= GROUP


@quick
@given(st.dictionaries(st.integers(1, 10**6), st.integers(0, 80), max_size=20))
@example({1: 40, 2: 3, 3: 3, 4: 3, 5: 3, 6: 3})
@example(dict.fromkeys(range(6), 4))
def test_sum_lets_nobody_work_out_a_value(values):
    """Whoever has a part in it and knows their own cannot bring another's under twice its size."""
    told = anonymity.total(values)
    given_ = sorted((value for value in values.values() if value), reverse=True)
    if told is None:
        return
    assert (told <= sum(given_), len(given_) >= GROUP) == (True, True)
    upper = STEPS[STEPS.index(told) + 1]
    for own, other in itertools.permutations(given_[:3], 2):
        assert upper - own >= 2 * other


@quick
@given(st.lists(st.integers(0, 500), max_size=30), st.randoms())
@example([900, *[1] * 20], random.Random(1))
@example([9, 9, 9, *[1] * 4], random.Random(1))
def test_what_rests_on_three_is_blind_to_who_they_are(parts, dice):
    told = anonymity.third(dict(enumerate(parts)))
    shuffled = dice.sample(parts, len(parts))
    assert anonymity.third(dict(enumerate(shuffled))) == told
    given_ = sorted((part for part in parts if part), reverse=True)
    if told is None:
        assert len(given_) < 8 or given_[0] * 2 > sum(given_)
    else:
        assert len(given_) - 3 >= GROUP
        assert told - 1 <= 3 * sum(given_[:3]) / sum(given_) <= told


# -- months -------------------------------------------------------------------------------------


def rank(rows):
    """How many of these rows of whole numbers say something that the others do not; exact."""
    left, found = [list(row) for row in rows], 0
    for column in range(max(map(len, left), default=0)):
        at = next((row for row in left if row[column]), None)
        if at is None:
            continue
        left.remove(at)
        found += 1
        left = [
            [b * at[column] - a * row[column] for a, b in zip(at, row, strict=True)]
            if row[column]
            else row
            for row in left
        ]
    return found


def spanned(parts, without=()):
    """How much the cells of everybody but a few span together."""
    pieces = {cells for key, mine in parts.items() if key not in without for cells in mine}
    width = 1 + max((n for mine in parts.values() for cells in mine for n in cells), default=0)
    return rank([[int(n in cells) for n in range(width)] for cells in pieces])


@quick
@given(
    st.dictionaries(
        st.integers(1, 99),
        st.sets(
            st.tuples(st.just(0), st.integers(1, 3), st.integers(4, 6)), min_size=1, max_size=4
        ),
        min_size=5,
        max_size=12,
    )
)
@example({n: {(0, 1, 4)} for n in range(5)})
@example({**{n: {(0, 1, 4)} for n in range(9)}, 9: {(0, 2, 4)}})
def test_what_is_called_inseparable_stays_whole_without_any_four(parts):
    """A sum that is about four at the most is one that the others' cells do not span."""
    if anonymity.inseparable(parts):
        whole = spanned(parts)
        for few in itertools.combinations(parts, 4):
            assert spanned(parts, few) == whole


def test_one_who_alone_is_on_a_network_beside_a_topic_can_be_worked_out():
    """All who wrote on the topic did so there, and one more wrote there: network less topic."""
    inside = {n: {(0, 1, 3)} for n in range(12)}
    elsewhere = {n: {(0, 2, 4)} for n in range(20, 32)}
    assert not anonymity.inseparable({**inside, **elsewhere, 50: {(0, 2, 3)}})
    assert anonymity.inseparable({**inside, **elsewhere, **{50 + n: {(0, 2, 3)} for n in range(5)}})
    assert anonymity.inseparable({n: {(0, 1)} for n in range(5)})
    assert not anonymity.inseparable({n: {(0, 1)} for n in range(4)})


def some_posts(dice):
    """A month's posts of a few or of many, some of them in places where hardly anybody is."""
    crowd = dice.choice([4, 9, 20, 45])
    return [
        months.Row(
            person=who,
            words=dice.choice(["own", "own", "near", "kept"]),
            network=dice.choice(["x", "x", "mastodon", "mastodon", "bluesky", "wide"][: dice.choice([1, 4, 6])]),
            topic=dice.choice(["1", "1", "1", "2", "2", "3", "4"]),
            own=dice.randrange(100),
            talk=dice.choice([None, 0, 1, 2, 40]),
            clicks=dice.choice([None, None, 3, 9, 900]),
        )
        for who in range(crowd)
        for _ in range(dice.choice([0, 1, 1, 2, 5, 30]))
    ]  # fmt: skip


def told_in(month, row):
    """The numbers of the cells that a post stands in."""
    number = {("all", "all"): 0}
    for name in months.GROUPINGS:
        for cell in getattr(month, name):
            number[name, cell.key] = len(number)
    place = [0]
    for name in months.GROUPINGS:
        key = row.key(name)
        if getattr(month, name):
            place.append(number[name, key if month.cell(name, key) else months.REST])
    return tuple(place)


@settings(max_examples=10_000 if FULL else 60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_whatever_is_added_and_subtracted_within_a_month_is_about_five(seed):
    """Four of the people in the smallest cell and four at random; each kind of figure for itself."""
    dice = random.Random(seed)
    rows = some_posts(dice)
    month = months.tell(dt.date(2026, 10, 1), rows)
    if month.whole is None:
        assert len({row.person for row in rows}) <= GROUP
        assert (month.words, month.talks, month.clicks) == ((), None, None)
        return
    places = {
        name: {row.key(name): month.cell(name, row.key(name)) for row in rows}
        for name in months.GROUPINGS
    }
    for measure in (None, *months.MEASURES):
        cells = {
            (name, cell.key): cell for name in months.GROUPINGS for cell in getattr(month, name)
        }
        groupings = [
            name for name in months.GROUPINGS
            if getattr(month, name) and (measure is None or any(getattr(c, measure) is not None for c in getattr(month, name)))
        ]  # fmt: skip
        some = counted(month, rows, measure)
        for name, cell in ((key[0], cell) for key, cell in cells.items()):
            here = {
                r.person for r in some
                if (r.key(name) == cell.key if cell.key != months.REST else places[name][r.key(name)] is None)
            }  # fmt: skip
            told = measure is None or getattr(cell, measure) is not None
            assert not told or len(here) >= GROUP
        if measure and getattr(month.whole, measure) is None:
            continue
        parts = defaultdict(set)
        for row in some:
            place = told_in(month, row)
            known = [name for name in months.GROUPINGS if getattr(month, name)]
            parts[row.person].add(
                (0, *(n for name, n in zip(known, place[1:], strict=True) if name in groupings))
            )
        whole = spanned(parts)
        smallest = min(
            ({p for p, mine in parts.items() if any(n in c for c in mine)} for n in range(len(cells) + 1) if
             any(n in c for mine in parts.values() for c in mine)), key=len,
        )  # fmt: skip
        for among in (sorted(smallest), sorted(parts)):
            few = dice.sample(among, min(4, len(among)))
            assert spanned(parts, few) == whole, (seed, measure, few)


def counted(month, rows, measure):
    """The posts behind a kind of figure, worked out again: cells of a handful are left out."""
    left = [row for row in rows if measure is None or getattr(row, measure) is not None]
    size = None
    while measure and size != len(left):
        size = len(left)
        for n in range(1, 20):
            people = {row.person for row in left if n in told_in(month, row)}
            if people and anonymity.told(Group.of(people)) is None:
                left = [row for row in left if n not in told_in(month, row)]
    return left


@quick
@given(st.lists(st.integers(0, 1000), min_size=5, max_size=12), st.integers(0, 10**6))
def test_mean_does_not_move_with_the_two_highest(values, more):
    """Whoever is the star may have twice or a thousand times as much: the page says the same."""
    high = sorted(values)
    assert anonymity.evened(values) == anonymity.evened(
        [*high[:-2], high[-2] + more, high[-1] + 2 * more]
    )
    assert anonymity.evened(values) <= sum(values) / len(values)


# -- whole organisations ------------------------------------------------------------------------


class Company:
    """Random people in random teams, of whom some said yes, some ticked, some posted."""

    def __init__(self, seed):
        self.dice = dice = random.Random(seed)
        now = self.now = timezone.now()
        self.sites = [
            Site.objects.create(slug=f"s{n}", name=f"Site {n}") for n in range(dice.randint(1, 4))
        ]
        self.topics = [
            Topic.objects.create(slug=f"t{n}", title=f"T{n}", rule="r", light_since=now)
            for n in range(dice.randint(1, 3))
        ]
        kinds = [
            TeamKind.objects.create(slug=f"k{n}", behaviour="plain", name_de="K", name_en=f"K{n}")
            for n in range(3)
        ]
        self.teams = [
            Team.objects.create(slug=f"m{n}", name=f"Team {n}", kind=kinds[n % 3]) for n in range(4)
        ]
        crowd = dice.choice([3, 9, 25, 60, 110])
        self.share, self.open = dice.choice([0.1, 0.5, 0.97]), dice.choice([0.05, 0.3, 0.9])
        self.people = Person.objects.bulk_create(self._person(n) for n in range(crowd))
        version, wording = consents.WORDINGS["roster"]
        Consent.objects.bulk_create(
            Consent(
                person=who,
                purpose="roster",
                version=dice.choice([version, version, version, "1"]),
                wording=wording,
                given_at=now,
            )
            for who in self.people
            if dice.random() < 0.8
        )
        Consent.objects.bulk_create(
            Consent(
                person=who,
                purpose="engagement",
                version=dice.choice(["2", "2", "1"]),
                wording="",
                given_at=now,
            )
            for who in self.people
            if dice.random() < 0.8
        )
        Membership.objects.bulk_create(
            self._term(who, team)
            for who in self.people
            for team in dice.sample(self.teams, dice.choice([0, 1, 1, 1, 2]))
        )
        self.suggestions = Suggestion.objects.bulk_create(
            Suggestion(topic=topic, title="S", language="de", author=self.people[0], changed_at=now)
            for topic in self.topics
        )
        Post.objects.bulk_create(
            self._post(who) for who in self.people for _ in range(dice.choice([0, 0, 1, 3]))
        )
        adoption.close_due(now=now)

    def _person(self, n):
        dice = self.dice
        return Person(
            email=f"p{n}@example.org", email_normalised=f"p{n}@example.org", name=f"P{n}", language="de",
            site=dice.choice([*self.sites, self.sites[0], None]),
            languages=dice.choice([[], ["de"], ["de", "en"], ["en"], ["tr", "de"]]),
            interests=dice.choice([[], ["t0"], ["t0", "t1"], ["t1", "gone"]]),
            left_at=self.now if dice.random() < 0.08 else None,
            hours_per_month=dice.choice([None, 1, 2, 4, 8, 40]), hours_shown=dice.random() < self.open,
            too_much_since=self.now if dice.random() < self.share else None,
            too_much_shown=dice.random() < self.open,
        )  # fmt: skip

    def _term(self, who, team):
        ended = who.left_at is not None or self.dice.random() < 0.1
        today = self.now.date()
        return Membership(
            person=who, team=team, started_on=today - dt.timedelta(200), stage_since_on=today,
            stage="alumni" if ended else self.dice.choice(["active", "active", "active", "paused", "in_training"]),
            ended_on=today if ended else None,
        )  # fmt: skip

    def _post(self, who):
        measured = self.dice.random() < 0.7
        return Post(
            person=who, network=self.dice.choice(["x", "x", "linkedin", "mastodon", "wall"]), how="copied", text="x",
            full_text="x", language="de", own_share=self.dice.choice([0, 10, 60]), sha256="x",
            submission=f"00000000-0000-4000-8000-{self.dice.getrandbits(48):012x}",
            created_at=self.now - dt.timedelta(days=self.dice.randrange(40, 100)),
            suggestion=self.dice.choice([None, *self.suggestions]),
            conversations=self.dice.choice([None, 0, 2]),
            likes=self.dice.randrange(60) if measured else None, measured_at=self.now if measured else None,
        )  # fmt: skip

    def filters(self):
        """An address's filters at random, sensible and not."""
        dice = self.dice
        chosen = {
            "q": dice.choice(["", "", "P1", "P"]), "team": dice.choice(["", *(t.pk for t in self.teams)]),
            "kind": dice.choice(["", "", "k0", "k1"]), "stage": dice.choice(["", "active", "paused"]),
            "site": dice.choice(["", *(s.pk for s in self.sites)]), "language": dice.choice(["", "de", "en", "tr", "xx"]),
            "topic": dice.choice(["", "t0", "t1"]), "too_much": dice.choice(["", "", "1"]),
        }  # fmt: skip
        return urlencode(
            {name: value for name, value in chosen.items() if value and dice.random() < 0.6}
        )

    # What is true, worked out from the rows without the product's queries.

    @cached_property
    def posts(self):
        """Person, moment, network, own words and topic of every post."""
        return list(
            Post.objects.order_by().values_list(
                "person", "created_at", "network", "own_share", "suggestion__topic"
            )
        )

    def came(self, first):
        """Who is in a team or took part until the end of a month, and who posted on a network."""
        end = months.span(first)[1]
        took = {post[0] for post in self.posts if post[1] < end}
        posted = {post[0] for post in self.posts if post[1] < end and post[2] != "wall"}
        return took | self.members, posted

    @cached_property
    def members(self):
        return set(Membership.objects.order_by().values_list("person", flat=True))

    @cached_property
    def facts(self):
        """Sets of people by what a figure may say of them; read once, before anybody changes."""
        here = {p.pk: p for p in Person.objects.filter(left_at=None, is_active=True)}
        yes = dict(
            Consent.objects.filter(purpose="roster", withdrawn_at=None).values_list(
                "person", "version"
            )
        )
        terms = defaultdict(set)
        active = set()
        for term in Membership.objects.filter(ended_on=None, person__in=here).select_related(
            "team__kind"
        ):
            terms[term.person_id].add(term.team.kind.slug)
            if term.stage == "active":
                active.add(term.person_id)
        return here, yes, terms, active


def speakers(company, topic, code, sites):
    """Who is active, lets the row tell it, follows the topic and writes the language there."""
    here, yes, _terms, active = company.facts
    return {
        pk for pk in active
        if yes.get(pk) == "2" and here[pk].site_id in sites and code in (here[pk].languages or ["de"])
        and (topic is None or topic in here[pk].interests)
    }  # fmt: skip


def coverage_facts(company, table):
    """Each told cell as (people it is about, at least, at most)."""
    lines = [*((line.topic.slug, line.cells) for line in table.lines), (None, table.write)]
    for topic, cells in lines:
        for cell in cells:
            sites = set(cell.together or (cell.site,))
            low, high = (GROUP, GROUP * len(sites)) if cell.together else bounds(cell.people)
            yield speakers(company, topic, table.language, sites), low, high


def burden_facts(company, groups):
    """The same of the groups, of what no row tells."""
    here, yes, terms, _active = company.facts
    for group in groups:
        members = {
            pk for pk, kinds in terms.items() if (min(kinds) if len(kinds) == 1 else "") in group.kinds
        }  # fmt: skip
        told_hours = {
            pk
            for pk in members
            if here[pk].hours_per_month is not None and not (pk in yes and here[pk].hours_shown)
        }
        asked = {pk for pk in members if not (pk in yes and here[pk].too_much_shown)}
        too_much = {pk for pk in asked if here[pk].too_much_since}
        merged = len(group.kinds) > 1
        yield (
            members,
            *(
                (GROUP, GROUP * len(group.kinds))
                if merged and group.people
                else bounds(group.people)
            ),
        )
        if group.people is None:
            assert (group.hours, group.hours_people, group.too_much) == (None, None, None)
            continue
        yield told_hours, *bounds(group.hours_people)
        if group.too_much is not None:
            yield too_much, *bounds(group.too_much)
            yield asked - too_much, GROUP, 10**6
        assert group.hours is None or (
            len(told_hours) >= GROUP
            and group.hours <= sum(here[pk].hours_per_month for pk in told_hours)
        )


def month_facts(company, month):
    """Each told cell as (people, at least, at most), from the posts as they were at the closing."""
    begin, end = months.span(month.first)
    here = [post for post in company.posts if begin <= post[1] < end and post[2] != "wall"]
    keys = {
        "words": lambda post: months.band(post[3]),
        "networks": lambda post: post[2],
        "topics": lambda post: str(post[4] or 0),
    }
    yield {post[0] for post in here}, *bounds(month.whole.people)
    for name, key in keys.items():
        cells = getattr(month, name)
        for cell in cells:
            alone = {one.key for one in cells} - {months.REST}
            inside = [
                p
                for p in here
                if (key(p) == cell.key if cell.key in alone else key(p) not in alone)
            ]
            people = {post[0] for post in inside}
            yield people, *(bounds(cell.people) if cell.key in alone else (GROUP, 10**6))


def attack(facts):
    """Every figure for itself, and every two of which one lies in the other."""
    for people, low, high in facts:
        assert low <= len(people) <= high
        assert len(people) in (0,) or len(people) >= GROUP or (low == 0 and high >= GROUP)
    for (inner, low, high), (outer, least, most) in itertools.permutations(facts, 2):
        if inner < outer:
            between = outer - inner
            assert least - high <= 0 or len(between) >= GROUP
            assert most - low >= GROUP or len(between) >= GROUP


def numbers(page, part):
    """All numbers that a table of a page shows, by the heading of its part."""
    text = page.content.decode()
    start = text.index(part)
    table = text[start : text.index("</table>", start)]
    shown = re.sub(r"<[^>]+>", " ", table)
    return {int(n) for n in re.findall(r"\d+", re.sub(r"(Site|T|K)\s?\d+", "", shown))}


class Reader:
    """Somebody of HR with a browser and a notebook: what each address told, kept by address."""

    def __init__(self, company, who):
        self.company, self.browser, self.seen = company, browser(who), {}

    def addresses(self):
        """Pages and files, each with filters at random."""
        dice, query = self.company.dice, self.company.filters()
        place = dice.choice(
            [
                "/roster/",
                "/roster/export/",
                "/roster/coverage/",
                "/roster/coverage/export/",
                "/roster/figures/",
                "/analytics/",
                "/analytics/export/",
            ]
        )
        if "analytics" in place:
            query = urlencode({**self.months(), "site": 1, "team": dice.randrange(4)})
        return f"{place}?{query}"

    def months(self):
        """Two months of an address: closed, running, made up."""
        names = [
            "",
            "none",
            "2099-01",
            "x",
            *(f"{later(self.company.now.date().replace(day=1), -n):%Y-%m}" for n in range(5)),
        ]
        return {name: self.company.dice.choice(names) for name in ("month", "beside")}

    def ask(self, address):
        if address not in self.seen:
            self.seen[address] = self._read(address)
        return self.seen[address]

    def _read(self, address):
        """Figures of an answer as facts; rows are no figures, but there must not be one too many."""
        path, _mark, query = address.partition("?")
        if path == "/roster/":
            return self._roster(self.browser.get(address))
        if path == "/analytics/":
            return self._months(self.browser.get(address))
        if path.endswith("export/"):
            lines = self.browser.post(address).getvalue().decode().splitlines()
            if "analytics" in path:
                told = {
                    int(n.replace(",", "")) for n in re.findall(r'"([\d,]+)\+"', "\n".join(lines))
                }
                assert told <= set(STEPS)
                return []
            return self._rows(query, lines) if "coverage" not in path else self._file(lines)
        page = self.browser.get(address)
        if "coverage" in path:
            assert numbers(page, 'class="cov"') <= {*STEPS, GROUP}
            return list(coverage_facts(self.company, page.context["table"]))
        assert numbers(page, "sheet--burden") <= {*STEPS}
        told = page.context["concentration"]
        assert told.people is None or (told.people in STEPS and told.people >= GROUP)
        return list(burden_facts(self.company, page.context["burden"].groups))

    def _months(self, page):
        """The month that the page shows and the one beside it, and how far people came."""
        facts = []
        for month in filter(None, (page.context["month"], page.context["beside"])):
            facts += month_facts(self.company, month)
            steps = adoption.of(month.first)
            assert {steps.joined, steps.rehearsed, steps.posted, steps.active} <= {None, *STEPS}
            everybody, posted = self.company.came(month.first)
            facts.append((everybody, *bounds(steps.joined)))
            if steps.posted is not None:
                facts += [(posted, *bounds(steps.posted)), (everybody - posted, GROUP, 10**6)]
        return facts

    def _roster(self, page):
        rows, shown = page.context["leaf"].rows, page.context["overview"]
        _here, yes, _terms, _active = self.company.facts
        here = Membership.objects.filter(person__left_at=None, person__in=yes)
        assert shown.people == here.values("person").distinct().count()
        assert sum(map(shown.total, roster.STAGES)) == here.count()
        assert page.context["count"] >= len(rows)
        return []

    def _rows(self, query, lines):
        page = self.browser.get(f"/roster/?{query}")
        assert len(lines) - 1 == page.context["count"]
        return []

    def _file(self, lines):
        told = {int(n) for line in lines[1:] for n in re.findall(r'"(\d+)"$', line)}
        assert told <= set(STEPS)
        return []


@settings(max_examples=ORGANISATIONS, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_pairs_of_answers_tell_on_no_fewer_than_five(db, seed):
    with transaction.atomic():
        company = Company(seed)
        who = Person.objects.create(email="r@example.org", name="Reader", language="en")
        who.role_set.create(name="hr")
        reader = Reader(company, who)
        for _ in range(PAIRS):
            one, other = reader.ask(reader.addresses()), reader.ask(reader.addresses())
            attack([*one, *other])
        attack_time(company)
        attack_months(company, reader.browser)
        transaction.set_rollback(True)


@pytest.mark.parametrize("figure", [concentration.concentration, burden.burden])
def test_figure_that_rests_is_read_and_not_made(figure, db, django_assert_num_queries):
    """A year of everybody's posts is not added up at every look (P8)."""
    first = figure(now=timezone.now())
    with django_assert_num_queries(1):
        assert figure(now=timezone.now() + dt.timedelta(days=6)) == first
    with CaptureQueriesContext(connection) as made:
        figure(now=timezone.now() + dt.timedelta(days=40))
    assert len(made) > 1  # its rest is over: it may change


def attack_time(company):
    """Four people change what they say: tomorrow and next month the figure is the same."""
    later, before = company.now + dt.timedelta(days=40), burden.burden(now=company.now)
    for who in company.dice.sample(company.people, min(4, len(company.people))):
        Person.objects.filter(pk=who.pk).update(too_much_since=None, hours_per_month=16)
        Post.objects.filter(person=who).update(likes=5000)
    assert burden.burden(now=later) == before
    told = concentration.concentration(now=company.now)
    assert concentration.concentration(now=company.now + dt.timedelta(days=29)) == told


def attack_months(company, reader):
    """Four people and all that they posted are gone: every month is told as before."""
    addresses = [
        "/analytics/",
        "/analytics/?month=x",
        *(f"/analytics/?month={m.first:%Y-%m}" for m in months.closed()),
    ]
    page = [reader.get(address).context["month"] for address in addresses]
    Post.objects.filter(
        person__in=company.dice.sample(company.people, min(4, len(company.people)))
    ).delete()
    assert adoption.close_due(now=company.now) == 0
    assert [reader.get(address).context["month"] for address in addresses] == page
