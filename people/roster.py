"""The roster: look after people, not reach. No post and no figure of a person is read here.

Rows of people who said yes to being in it, and never a number that is not the number of such rows.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.core.cache import cache
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.http import QueryDict
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from ambassadors import audit, consents, languages
from ambassadors.models import Consent, Membership, Person, Team
from campaigns import wording
from campaigns.models import Topic

STAGES = ("nominated", "invited", "in_training", "active", "paused", "alumni")
PAGE = 25
MOST_COUNTED = 1000
_MOST_SORTED = 5000  # hits of a name that are sorted rather than met on a walk through all names
LATE_TRAINING = dt.timedelta(days=30)
LATELY = dt.timedelta(days=90)
_PIECE = 1000  # rows of an export that are read at a time
_LARGE, _KEPT = 2000, 60  # rows from which counts are kept, and for how many seconds
_LONGEST_SEARCH, _MOST_WORDS = 100, 6
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to see of the roster, as it stands in the address."""

    q: str = ""
    team: int = 0
    kind: str = ""
    stage: str = ""
    site: int = 0
    language: str = ""
    topic: str = ""
    moved: str = ""
    too_much: bool = False

    @classmethod
    def read(cls, asked: QueryDict) -> "Wanted":
        """Read an address; what makes no sense there counts as not asked for."""
        stage, moved = asked.get("stage", ""), asked.get("moved", "")
        language = asked.get("language", "")
        return cls(
            q=wording.clean(asked.get("q", "")[: 2 * _LONGEST_SEARCH])[:_LONGEST_SEARCH],
            team=number(asked.get("team", "")),
            kind=_slug(asked.get("kind", "")),
            stage=stage if stage in STAGES else "",
            site=number(asked.get("site", "")),
            language=language if language in languages.CODES else "",
            topic=_slug(asked.get("topic", "")),
            moved=moved if moved in {"joined", "left"} else "",
            too_much=asked.get("too_much") == "1",
        )

    def query(self, **changes: Any) -> str:
        """The address's part after the question mark, without what is not asked for."""
        asked = asdict(replace(self, **changes))
        return urlencode({k: "1" if v is True else v for k, v in asked.items() if v})

    @property
    def beyond_name(self) -> bool:
        """Tell whether more than a name is asked for."""
        return replace(self, q="") != Wanted()

    def is_short(self, count: int) -> bool:
        """Tell whether what matches is found first and then sorted; ``count`` rows were counted.

        The database would rather walk all names in order and meet the few on the way: with a
        thousand in a block at the end of the alphabet that is the whole company.
        """
        if count <= MOST_COUNTED:
            return True
        return bool(self.q) and bool(_few_named(self.q))

    def rows(self, viewer: Person, today: dt.date) -> "QuerySet[Membership]":
        """The terms that match, of people whom the viewer may see."""
        few = _few_named(self.q) if self.q else []
        rows = listed(viewer, few)
        if self.q:
            rows = rows.filter(person__in=few or _named(self.q))
        plain = {"team": self.team, "team__kind__slug": self.kind, "stage": self.stage,
                 "person__site": self.site}  # fmt: skip
        rows = rows.filter(**{column: value for column, value in plain.items() if value})
        if self.language or self.topic:
            rows = rows.filter(_newer())
        if self.language:
            none = Q(person__languages=[], person__language=self.language)
            rows = rows.filter(none | Q(person__languages__contains=[self.language]))
        if self.topic:
            rows = rows.filter(person__interests__contains=[self.topic])
        if self.moved == "joined":
            rows = rows.filter(started_on__gte=today - LATELY)
        elif self.moved == "left":
            rows = rows.filter(ended_on__gte=today - LATELY)
        if self.too_much:
            rows = rows.filter(person__too_much_shown=True, person__too_much_since__isnull=False)
        return rows


def number(text: str) -> int:
    """A row's number from an address, 0 when none is readable."""
    return int(text[:9]) if text.isdecimal() and text.isascii() else 0


def _slug(text: str) -> str:
    return text if re.fullmatch(r"[-\w]{1,50}", text, re.ASCII) else ""


def _named(text: str) -> "QuerySet[Person]":
    """People one of whose names begins with each of the words, whatever the database folds."""
    found = Person.objects.annotate(words=SearchVector("name", config="simple"))
    for word in _WORD.findall(text)[:_MOST_WORDS]:
        forms = {word, word.lower(), word.capitalize(), word.upper()}
        asked = " | ".join(f"'{form}':*" for form in sorted(forms))
        found = found.filter(words=SearchQuery(asked, config="simple", search_type="raw"))
    return found.order_by()


def _few_named(text: str) -> list[int]:
    """Keys of those so named; none when they are too many. The database guesses them badly."""
    found = list(_named(text).values_list("pk", flat=True)[: _MOST_SORTED + 1])
    return found if len(found) <= _MOST_SORTED else []


def listed(viewer: Person, among: Sequence[int] = ()) -> "QuerySet[Membership]":
    """Terms of people who work here and said yes: all of them for HR, own teams for a lead.

    A lead sees who said yes to the wording that names the lead. ``among`` holds the keys of the few
    who are asked for, so that nobody else's consent is read.
    """
    found = _listed(among)
    return found if viewer.has_role("hr") else found.filter(_newer(), team__lead=viewer)


def _listed(among: Sequence[int] = ()) -> "QuerySet[Membership]":
    yes = Consent.objects.given().filter(person=OuterRef("person"), purpose="roster")
    yes = yes.filter(person__in=among) if among else yes
    return Membership.objects.filter(Exists(yes), person__left_at__isnull=True)


def _newer() -> Exists:
    """Whether the yes is to the wording that names languages, topics and the lead."""
    return Exists(consents.current("roster").filter(person=OuterRef("person")))


def of(person: Person) -> "QuerySet[Membership]":
    """A person's own terms as HR's roster lists them; none without their yes."""
    return _listed().filter(person=person).select_related("person__site", "team__kind")


def teams(viewer: Person) -> "QuerySet[Team]":
    """The teams whose rows somebody may see."""
    found = Team.objects.select_related("kind")
    return found if viewer.has_role("hr") else found.filter(lead=viewer)


@dataclass(frozen=True, slots=True)
class Row:
    """What a row tells: what the person said yes to, and what they ticked besides."""

    term: Membership
    languages: tuple[str, ...]
    topics: tuple[str, ...]
    hours: Decimal | None
    too_much_since: dt.datetime | None


def told(terms: Sequence[Membership], titles: Mapping[str, str]) -> Iterator[Row]:
    """Terms of :func:`listed` as rows tell them, topics by their titles. One query."""
    people = consents.current("roster").filter(person__in={term.person_id for term in terms})
    tell_more = set(people.values_list("person", flat=True))
    for term in terms:
        person, more = term.person, term.person_id in tell_more
        codes = person.languages or [person.language]
        yield Row(
            term=term,
            languages=tuple(languages.name(code) for code in codes) if more else (),
            topics=tuple(titles[s] for s in person.interests if s in titles) if more else (),
            hours=person.hours_per_month if person.hours_shown else None,
            too_much_since=person.too_much_since if person.too_much_shown else None,
        )


def topics() -> dict[str, str]:
    """Topics' titles by slug."""
    return dict(Topic.objects.values_list("slug", "title"))


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page of rows, and the terms after and before which the next ones stand."""

    rows: list[Row]
    before: int
    after: int


def by_name(
    rows: "QuerySet[Membership]", *, short: bool, backwards: bool = False
) -> "QuerySet[Membership]":
    """Rows in the order of names; ``short`` ones without the index that leads through all names."""
    name = Concat("person__name", Value("")) if short else F("person__name")
    order = (name.desc(), F("pk").desc()) if backwards else (name.asc(), F("pk").asc())
    return rows.select_related("person__site", "team__kind").order_by(*order)


def leaf(
    rows: "QuerySet[Membership]", viewer: Person, *, after: int, before: int, short: bool
) -> Leaf:
    """A page of rows by name; reads as many as it shows, wherever in the roster it lies.

    ``short``: the rows that match are sorted, instead of met on the way through all names.
    """
    anchor = listed(viewer).filter(pk=after or before).values_list("person__name", "pk").first()
    backwards = bool(before and not after and anchor)
    found = by_name(rows, short=short, backwards=backwards)
    if anchor:
        name, pk = anchor
        side, edge = ("lt", "lte") if backwards else ("gt", "gte")
        found = found.filter(
            Q(**{f"person__name__{side}": name}) | Q(**{f"pk__{side}": pk}),
            **{f"person__name__{edge}": name},
        )
    terms = list(found[: PAGE + 1])
    more, terms = len(terms) > PAGE, terms[:PAGE]
    if backwards:
        terms.reverse()
    if not terms:
        return Leaf([], 0, 0)
    earlier = more if backwards else bool(anchor)
    later = bool(anchor) if backwards else more
    return Leaf(
        list(told(terms, topics())), terms[0].pk if earlier else 0, terms[-1].pk if later else 0
    )


def count(rows: "QuerySet[Membership]") -> int:
    """How many, a thousand and one at the most."""
    return rows.order_by()[: MOST_COUNTED + 1].count()


@dataclass(frozen=True, slots=True)
class Overview:
    """How many rows stand at each stage, by what the kind of team does."""

    stages: dict[str, dict[str, int]]
    people: int
    late: int
    joined: int
    left: int

    def total(self, stage: str) -> int:
        """Rows at a stage."""
        return sum(self.stages[stage].values())

    @property
    def kinds(self) -> dict[str, int]:
        """Rows by what the kind of team does."""
        found: dict[str, int] = {}
        for counts in self.stages.values():
            for behaviour, n in counts.items():
                found[behaviour] = found.get(behaviour, 0) + n
        return found

    @property
    def each(self) -> int:
        """For how many rows one mark stands: for one, and in a large company for more."""
        most = max((sum(counts.values()) for counts in self.stages.values()), default=0)
        return next(each for each in (1, 10, 100, 1000, 10_000) if most <= 120 * each)


def overview(viewer: Person, today: dt.date) -> Overview:
    """Counts over the rows somebody may see; from 2,000 rows on they are kept for a minute."""
    whose = "all" if viewer.has_role("hr") else viewer.pk
    key = f"roster.overview.{whose}.{today}"
    if (kept := cache.get(key)) is not None:
        return Overview(**kept)
    rows = listed(viewer).order_by()
    stages: dict[str, dict[str, int]] = {stage: {} for stage in STAGES}
    for stage, behaviour, n in rows.values_list("stage", "team__kind__behaviour").annotate(
        n=Count("pk")
    ):
        stages[stage][behaviour] = n
    sums = rows.aggregate(
        people=Count("person", distinct=True),
        late=Count("pk", filter=_late(today)),
        joined=Count("pk", filter=Q(started_on__gte=today - LATELY)),
        left=Count("pk", filter=Q(ended_on__gte=today - LATELY)),
    )
    found = Overview(stages=stages, **sums)
    if sum(map(found.total, STAGES)) >= _LARGE:
        cache.set(key, asdict(found), _KEPT)
    return found


def _late(today: dt.date) -> Q:
    return Q(stage="in_training", stage_since_on__lt=today - LATE_TRAINING)


def heading() -> list[str]:
    """The columns of an export in the reader's language."""
    return [
        _("Name"), _("Job"), _("Site"), _("Team"), _("Kind of team"), _("Stage"), _("since"),
        _("Term from"), _("Term until"), _("Languages"), _("Topics"), _("Hours per month"),
        _("Too much since"),
    ]  # fmt: skip


@transaction.atomic
def note_export(
    what: str, *, by: Person, german: bool, now: dt.datetime, wanted: Wanted | None = None
) -> None:
    """Write down that a list leaves as a file: by which filters, never for which name."""
    asked = sorted(name for name, value in asdict(wanted or Wanted()).items() if value)
    audit.record(f"{what}.exported", by, by=by, now=now, filters=asked, excel=german)


def export(rows: "QuerySet[Membership]") -> Iterator[list[str]]:
    """The rows as a list shows them, as text, one after the other. Reads in pieces."""
    yield heading()
    terms = rows.select_related("person__site", "team__kind").order_by("person__name", "pk")
    titles, found = topics(), terms.iterator(chunk_size=_PIECE)
    while piece := list(islice(found, _PIECE)):
        yield from map(_cells, told(piece, titles))


def _cells(row: Row) -> list[str]:
    term, person = row.term, row.term.person
    last = term.ended_on or term.until_on
    return [
        person.name,
        person.job_title,
        str(person.site or ""),
        term.team.name,
        str(term.team.kind),
        str(term.get_stage_display()),
        term.stage_since_on.isoformat(),
        term.started_on.isoformat(),
        last.isoformat() if last else "",
        ", ".join(row.languages),
        ", ".join(row.topics),
        "" if row.hours is None else number_format(row.hours),
        date_format(row.too_much_since, "Y-m-d") if row.too_much_since else "",
    ]
