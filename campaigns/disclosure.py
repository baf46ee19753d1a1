"""Which label a text carries, the complete text that leaves, and the table's versions."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person
from integrations.networks import NETWORKS

from .models import DisclosureRule, DisclosureTable, Programme, Suggestion
from .models.programme import ContentClass

LANGUAGES = ("de", "en")
# Posts of employees about these are commercial (UWG § 5a(4)): never without a label.
COMMERCIAL = frozenset({ContentClass.PRODUCT, ContentClass.JOB_AD})
MOST_RULES = 200


@dataclass(frozen=True, slots=True)
class Label:
    """The label of one content class on one network in one language and country."""

    text: str
    place: str
    version: int

    def apply(self, text: str) -> str:
        """Put the label where the rule says, unless the text carries it there already."""
        if not self.text or self.stands_in(text):
            return text
        if self.place == DisclosureRule.Place.START:
            return f"{self.text} {text}"
        return f"{text} {self.text}"

    def stands_in(self, text: str) -> bool:
        """Tell whether the text has the label in its place, as words of its own."""
        if self.place == DisclosureRule.Place.START:
            rest = text.removeprefix(self.text)
            return rest != text and not rest[:1].strip()
        rest = text.removesuffix(self.text)
        return rest != text and not rest[-1:].strip()


NO_LABEL = Label("", DisclosureRule.Place.END, 0)


@dataclass(frozen=True, slots=True)
class Labels:
    """All rules for one content class in one language, whatever the network and country."""

    rules: dict[tuple[str, str], Label] = field(default_factory=dict)

    def on(self, network: str, country: str = "") -> Label:
        """The label there. A country's own rule outweighs a network's: it is its law."""
        for key in ((country, network), (country, ""), ("", network), ("", "")):
            if found := self.rules.get(key):
                return found
        return NO_LABEL

    @property
    def countries(self) -> list[str]:
        """Countries with a rule of their own, and ``""`` for all others."""
        return sorted({"", *(country for country, _network in self.rules)})


def labels(content_class: str, language: str) -> Labels:
    """The rules in force for a class in a language. One query."""
    return labels_by_language(content_class).get(language, Labels())


def labels_by_language(content_class: str) -> dict[str, Labels]:
    """The rules in force for a class, by language. One query."""
    newest = DisclosureTable.objects.filter(in_force_at__isnull=False).order_by("-version")
    rows = DisclosureRule.objects.filter(
        content_class=content_class, table=newest.values("pk")[:1]
    ).values_list("language", "country", "network", "label", "place", "table__version")
    found: dict[str, Labels] = {}
    for language, country, network, text, place, version in rows:
        rules = found.setdefault(language, Labels()).rules
        rules[country, network] = Label(text, place, version)
    return found


def country_of(person: Person) -> str:
    """The country whose rules a person's posts follow, empty without a site."""
    return person.site.country if person.site else ""


def label_for(
    suggestion: Suggestion | None, network: str, language: str, country: str = ""
) -> Label:
    """The label for one post; a person's own post carries none of ours."""
    if suggestion is None:
        return NO_LABEL
    return labels(suggestion.content_class, language).on(network, country)


def complete(text: str, label: Label, link: str) -> str:
    """Text, label and link in the order in which they leave."""
    full = label.apply(text)
    return f"{full}\n{link}" if link else full


# Versions of the table ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a table: where it counts, and what it asks."""

    content_class: str
    language: str
    label: str
    place: str
    network: str = ""
    country: str = ""

    @property
    def cell(self) -> tuple[str, str, str, str]:
        """Where it counts; once in a table."""
        return self.content_class, self.language, self.country, self.network


class TableRefused(Exception):
    """The table cannot be proposed; sentences by the line's index, ``-1`` for the whole."""

    def __init__(self, errors: dict[int, str]) -> None:
        super().__init__(errors)
        self.errors = errors


class NotYours(Exception):
    """Somebody else must decide, or has decided; the message says which."""


def in_force() -> DisclosureTable | None:
    """The table that counts now."""
    return (
        DisclosureTable.objects.filter(in_force_at__isnull=False)
        .select_related("proposed_by", "in_force_by")
        .first()
    )


def proposal() -> DisclosureTable | None:
    """The table that waits for a decision."""
    rows = DisclosureTable.objects.filter(in_force_at__isnull=True, dropped_at__isnull=True)
    return rows.select_related("proposed_by").first()


def rules_of(table: DisclosureTable | None) -> list[Rule]:
    """The lines of a table: classes in their order, general lines before special ones."""
    if table is None:
        return []
    rows = DisclosureRule.objects.filter(table=table)
    return ordered(
        Rule(r.content_class, r.language, r.label, r.place, r.network, r.country) for r in rows
    )


def ordered(rules: Iterable[Rule]) -> list[Rule]:
    """Lines as people read them."""
    classes = list(ContentClass.values)
    return sorted(rules, key=lambda r: (classes.index(r.content_class), r.language, r.cell))


def seed(company: str) -> list[Rule]:
    """A German and English table to begin with (UWG § 5a(4), MStV § 22): settings, no advice."""
    words: dict[str, tuple[str, str, str]] = {
        ContentClass.OWN_STORY: ("end", f"Ich arbeite bei {company}.", f"I work at {company}."),
        ContentClass.EMPLOYER_BRAND: (
            "end", f"Ich arbeite bei {company}.", f"I work at {company}.",
        ),
        ContentClass.JOB_AD: ("start", "Werbung:", "Ad:"),
        ContentClass.PRODUCT: ("start", "Werbung:", "Ad:"),
        ContentClass.THIRD_PARTY: ("end", f"Ich arbeite bei {company}.", f"I work at {company}."),
        ContentClass.POLITICAL: (
            "end",
            f"Meine Meinung, ich arbeite bei {company}.",
            f"My own view, I work at {company}.",
        ),
    }  # fmt: skip
    return [
        Rule(name, language, text[:60], place)
        for name, (place, *texts) in words.items()
        for language, text in zip(LANGUAGES, texts, strict=True)
    ]


def check_table(rules: Sequence[Rule]) -> dict[int, str]:
    """What is wrong with a table, by the line's index; ``-1`` is for what is missing."""
    errors: dict[int, str] = {}
    seen: set[tuple[str, str, str, str]] = set()
    for index, rule in enumerate(rules):
        country = rule.country
        if rule.content_class not in ContentClass.values or rule.language not in LANGUAGES:
            errors[index] = _("Choose what it is, and a language.")
        elif rule.network and rule.network not in NETWORKS:
            errors[index] = _("Choose a network of the list.")
        elif country and not (
            len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()
        ):
            errors[index] = _("A country has two letters, like AT or CH.")
        elif len(rule.label) > 60 or not (rule.label.isprintable() or not rule.label):
            errors[index] = _("A label is one line of at most 60 characters.")
        elif not rule.label and rule.content_class in COMMERCIAL:
            errors[index] = _("What advertises is never without a label.")
        elif rule.cell in seen:
            errors[index] = _("This line stands there twice.")
        seen.add(rule.cell)
    wanted = {(c, lang, "", "") for c in ContentClass.values for lang in LANGUAGES}
    if missing := sorted(wanted - seen):
        name = ContentClass(missing[0][0]).label
        errors[-1] = _("A general line is missing: %(name)s, %(language)s.") % {
            "name": name,
            "language": missing[0][1],
        }
    elif len(rules) > MOST_RULES:
        errors[-1] = _("More than %(most)s lines.") % {"most": MOST_RULES}
    return errors


@transaction.atomic
def propose(*, rules: Sequence[Rule], note: str, by: Person, now: dt.datetime) -> DisclosureTable:
    """Write a new version that nobody follows yet; one that waited before is dropped.

    Raises :class:`TableRefused`.
    """
    if errors := check_table(rules):
        raise TableRefused(errors)
    Programme.objects.select_for_update().get(pk=Programme.the().pk)  # one after the other
    waiting = DisclosureTable.objects.filter(in_force_at__isnull=True, dropped_at__isnull=True)
    waiting.update(dropped_at=now)
    latest = DisclosureTable.objects.aggregate(version=Max("version"))["version"] or 0
    table = DisclosureTable.objects.create(
        version=latest + 1, note=note, proposed_by=by, proposed_at=now
    )
    DisclosureRule.objects.bulk_create(
        DisclosureRule(
            table=table,
            content_class=rule.content_class,
            network=rule.network,
            language=rule.language,
            country=rule.country,
            label=rule.label,
            place=rule.place,
        )
        for rule in rules
    )
    audit.record("disclosure.proposed", table, by=by, now=now, version=table.version)
    return table


@transaction.atomic
def put_in_force(*, table: DisclosureTable, by: Person, now: dt.datetime) -> None:
    """Let a proposal count from now on, for texts that are written from now on.

    What waits to leave keeps the label its person saw. Raises :class:`NotYours` for the proposer
    where the programme wants two people, and when it was decided meanwhile.
    """
    if Programme.the().two_person_review and table.proposed_by_id == by.pk:
        raise NotYours(_("You proposed it. Somebody else puts it in force."))
    open_one = DisclosureTable.objects.filter(
        pk=table.pk, in_force_at__isnull=True, dropped_at__isnull=True
    )
    if not open_one.update(in_force_at=now, in_force_by=by):
        raise NotYours(_("Somebody has decided about it already."))
    audit.record("disclosure.in_force", table, by=by, now=now, version=table.version)


@transaction.atomic
def drop(*, table: DisclosureTable, by: Person, now: dt.datetime) -> None:
    """Leave a proposal aside for good. Raises :class:`NotYours` when it was decided meanwhile."""
    open_one = DisclosureTable.objects.filter(
        pk=table.pk, in_force_at__isnull=True, dropped_at__isnull=True
    )
    if not open_one.update(dropped_at=now):
        raise NotYours(_("Somebody has decided about it already."))
    audit.record("disclosure.dropped", table, by=by, now=now, version=table.version)


def difference(old: Sequence[Rule], new: Sequence[Rule]) -> list[tuple[Rule | None, Rule | None]]:
    """What changes from one table to the next, as pairs of before and after."""
    before, after = {r.cell: r for r in old}, {r.cell: r for r in new}
    pairs = [(before.get(r.cell), r) for r in new if before.get(r.cell) != r]
    return [*pairs, *((r, None) for r in old if r.cell not in after)]
