"""For whom: the same people from both sides, and a number that cannot be subtracted."""

import itertools
import random

import pytest
from django.utils import timezone

from ambassadors import memberships
from ambassadors.models import Person, Site, Team, TeamKind
from campaigns import audiences
from campaigns.audiences import Audience, reach
from campaigns.models import Suggestion

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(person):
    """Two dozen people in three teams of two kinds at two sites; some have left, some a term ended."""
    dice = random.Random(7)
    sites = [Site.objects.create(slug=f"s{n}", name=f"S{n}") for n in range(2)]
    kinds = [
        TeamKind.objects.create(slug=f"k{n}", behaviour="plain", name_de="K", name_en="K")
        for n in range(2)
    ]
    teams = [Team.objects.create(slug=f"t{n}", name=f"T{n}", kind=kinds[n % 2]) for n in range(3)]
    now, by = timezone.now(), person("Selin", "hr")
    made = Person.objects.bulk_create(
        Person(
            email=f"p{n}@example.org", email_normalised=f"p{n}@example.org", name=f"P{n}",
            language=dice.choice(["de", "en"]), languages=dice.choice([[], ["de"], ["de", "en"], ["tr"]]),
            interests=dice.choice([[], ["wind"], ["wind", "heat"], ["jobs"]]), site=dice.choice([*sites, None]),
            left_at=now if n % 11 == 0 else None, is_active=n % 13 != 0,
        )
        for n in range(24)
    )  # fmt: skip
    for who in made:
        for team in dice.sample(teams, dice.randrange(3)):
            memberships.begin(person=who, team=team, stage="active", by=by, now=now)
    for who in made[::6]:
        for term in who.membership_set.all()[:1]:
            memberships.end(membership=term, by=by, now=now)
    return sites, kinds, teams


def pairs(company):
    """Audiences of every combination of criteria."""
    sites, kinds, teams = company
    choices = [
        [(), (teams[0].pk,), (teams[0].pk, teams[1].pk)],
        [(), (kinds[1].pk,)],
        [(), (sites[0].pk,)],
        [(), ("de",), ("en", "tr")],
        [(), ("wind",), ("heat", "jobs")],
    ]
    return [Audience(*chosen) for chosen in itertools.product(*choices)]


def test_who_is_counted_sees_it_and_nobody_else(company, topic, person):
    """Both rules agree on every person, for audiences of all kinds."""
    author, now, counted = person("M"), timezone.now(), {}
    for audience in pairs(company)[::7]:
        made = Suggestion.objects.create(
            topic=topic, title="T", author=author, changed_at=now,
            audience_languages=list(audience.languages), audience_interests=list(audience.interests),
        )  # fmt: skip
        made.teams.set(audience.teams)
        made.kinds.set(audience.kinds)
        made.sites.set(audience.sites)
        assert audiences.people(audiences.of(made)).count() == audiences.people(audience).count()
        counted[made.pk] = set(audiences.people(audience))
    here = Person.objects.filter(left_at=None, is_active=True)
    sees = {p: set(Suggestion.objects.visible_to(p).values_list("pk", flat=True)) for p in here}
    assert counted == {pk: {p for p in here if pk in sees[p]} for pk in counted}
    assert len({len(people) for people in counted.values()}) > 3


def test_number_is_a_step_and_never_of_fewer_than_five(company):
    for audience in pairs(company):
        count, told = audiences.people(audience).count(), reach(audience)
        assert told is None if count < 5 else told in {None, 5, 10, 20}
        assert (told or 0) <= count


def test_edge_of_a_step_is_blurred():
    """Ten people are told as 10 or as 5, so a step more is no proof of one person more."""
    dice = random.Random(11)
    tags = [f"group{n}" for n in range(40)]
    follows = {n: [] for n in range(30)}
    for tag in tags:
        for n in dice.sample(range(30), 10):
            follows[n].append(tag)
    Person.objects.bulk_create(
        Person(
            email=f"p{n}@x.org", email_normalised=f"p{n}@x.org", name=f"P{n}", interests=followed
        )
        for n, followed in follows.items()
    )
    answers = [reach(Audience(interests=[tag])) for tag in tags]
    assert set(answers) == {5, 10}
    assert [reach(Audience(interests=[tag])) for tag in tags] == answers


def test_same_people_give_the_same_answer_however_they_are_described(company):
    """Ticking what changes nothing gives no second draw of the blur."""
    sites, _kinds, teams = company
    empty = Team.objects.create(slug="e", name="E", kind=teams[0].kind)
    one = reach(Audience(teams=[teams[0].pk], sites=[s.pk for s in sites]))
    other = reach(Audience(teams=[teams[0].pk, empty.pk], sites=[s.pk for s in sites]))
    assert one == other


def test_reach_is_one_query(company, django_assert_num_queries):
    sites, kinds, teams = company
    with django_assert_num_queries(1):
        reach(Audience([teams[0].pk], [kinds[0].pk], [sites[0].pk], ["de"], ["wind"]))
