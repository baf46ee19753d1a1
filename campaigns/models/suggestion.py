"""Suggestions and their wordings."""

import datetime as dt
from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex, HashIndex
from django.contrib.postgres.search import (
    SearchQuery,
    SearchVector,
)
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Left
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Membership, Person, Site, Team, TeamKind

from .campaign import Campaign
from .holdable import Holdable
from .picture import Document, Picture
from .programme import ContentClass
from .topic import Topic

_SEARCHED = 50_000  # characters of a text; PostgreSQL's index takes a megabyte of words at most
_MOST_WORDS = 8
_INTEGER = models.IntegerField()


def stems(field: str) -> models.expressions.CombinedExpression:
    """The words of a column by their German and their English stems; the index is made of this."""
    german, english = (
        SearchVector(Left(field, _SEARCHED), config=config) for config in ("german", "english")
    )
    return german + english


def stem(word: str) -> tuple[SearchQuery, SearchQuery]:
    """Ask for words that begin with a word's German, and with its English stem.

    Quoted, so no sign of it is special.
    """
    quoted = "'{}':*".format(word.replace("\\", "\\\\").replace("'", "''"))
    german, english = (
        SearchQuery(quoted, config=config, search_type="raw") for config in ("german", "english")
    )
    return german, english


class SuggestionQuerySet(models.QuerySet["Suggestion"]):
    """Plain names for questions about suggestions."""

    def live(self, now: dt.datetime) -> "SuggestionQuerySet":
        """Approved, begun, not over, and held by nothing."""
        return self.unheld().filter(
            Q(embargo_until__isnull=True) | Q(embargo_until__lte=now),
            Q(expires_at__isnull=True) | Q(expires_at__gt=now),
        )

    def unheld(self) -> "SuggestionQuerySet":
        """Approved and held by nothing, whatever the clock says."""
        return self.filter(
            state=Suggestion.State.APPROVED,
            held_at__isnull=True,
            topic__held_at__isnull=True,
            topic__archived_at__isnull=True,
        )

    def saying(self, text: str) -> "SuggestionQuerySet":
        """Those with every word of ``text`` (the first eight) in the title or in a wording.

        Words match by German or English stem and by their beginning: *Windräder* finds *Windrad*
        and *Windpark* is found by *Wind*. Words too common in one of the two are passed over.
        """
        rows = self
        for word in text.split()[:_MOST_WORDS]:
            german, english = stem(word)
            query = german | english
            common = [
                Q(Exact(models.Func(one, function="numnode", output_field=_INTEGER), 0))
                for one in (german, english)
            ]
            titled = Suggestion.objects.annotate(stems=stems("title")).filter(stems=query)
            said = Variant.objects.annotate(stems=stems("text")).filter(stems=query)
            found = Q(pk__in=titled.values("pk")) | Q(pk__in=said.values("suggestion"))
            rows = rows.filter(found | common[0] | common[1])
        return rows

    def worded(self) -> "SuggestionQuerySet":
        """Those whose wordings are the company's: a topic without an official line has none."""
        return self.filter(topic__own_view=False)

    def with_cards(self) -> "SuggestionQuerySet":
        """Those with wordings, the newest first, with all that a card shows of them."""
        return (
            self.worded()
            .select_related("topic", "picture", "proposal__person")
            .prefetch_related("variant_set")
            .order_by("-approved_at", "-pk")
        )

    def for_everybody(self) -> "SuggestionQuerySet":
        """Those without an audience: what a room may read in which anybody sits."""
        parts = (Suggestion.teams, Suggestion.kinds, Suggestion.sites)
        chosen = [part.through.objects.filter(suggestion=OuterRef("pk")) for part in parts]
        return self.filter(
            *(~Exists(rows) for rows in chosen), audience_languages=[], audience_interests=[]
        )

    def visible_to(self, person: Person) -> "SuggestionQuerySet":
        """Those meant for the person: no audience means everybody."""
        mine = Membership.objects.filter(person=person, ended_on__isnull=True).values("team")
        teams = Suggestion.teams.through.objects.filter(suggestion=OuterRef("pk"))
        sites = Suggestion.sites.through.objects.filter(suggestion=OuterRef("pk"))
        kinds = Suggestion.kinds.through.objects.filter(suggestion=OuterRef("pk"))
        my_kinds = Team.objects.filter(pk__in=mine).values("kind")
        return self.filter(
            ~Exists(teams) | Exists(teams.filter(team__in=mine)),
            ~Exists(kinds) | Exists(kinds.filter(teamkind__in=my_kinds)),
            ~Exists(sites) | Exists(sites.filter(site=person.site_id)),
            _meant_for("audience_languages", person.languages or [person.language]),
            _meant_for("audience_interests", person.interests),
        )


def _meant_for(column: str, mine: list[str]) -> Q:
    """A list that names nobody in particular, or something of mine."""
    found = Q(**{column: []})
    for word in mine:
        found |= Q(**{f"{column}__contains": [word]})
    return found


class Suggestion(Holdable):
    """Curated content. Stored is the decision; live, held and expired follow from the moment."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        IN_REVIEW = "in_review", _("In review")
        APPROVED = "approved", _("Approved")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Tone(models.TextChoices):
        PROUD = "proud", _("proud")
        USEFUL = "useful", _("useful")
        HUMAN = "human", _("human")
        HONEST = "honest", _("honest")
        CRITICAL = "critical", _("critical")

    slug = models.SlugField(max_length=80, blank=True)
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT)
    campaign = models.ForeignKey(Campaign, on_delete=models.SET_NULL, null=True, blank=True)
    title = models.CharField(_("title"), max_length=120)
    why = models.CharField(max_length=240, blank=True)
    language = models.CharField(max_length=2, default="de")
    content_class = models.CharField(
        max_length=20, choices=ContentClass.choices, default=ContentClass.EMPLOYER_BRAND
    )
    tone = models.CharField(max_length=10, choices=Tone.choices, default=Tone.USEFUL)
    link_url = models.URLField(max_length=1000, blank=True)
    link_title = models.CharField(max_length=200, blank=True)
    link_description = models.CharField(max_length=400, blank=True)
    picture = models.ForeignKey(Picture, on_delete=models.PROTECT, null=True, blank=True)
    more_pictures = models.ManyToManyField(Picture, blank=True, related_name="+")
    document = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, blank=True)
    content_warning = models.CharField(max_length=120, blank=True)
    prompts = models.JSONField(default=list)
    facts = models.JSONField(default=list)
    leave_out = models.JSONField(default=list)
    sites = models.ManyToManyField(Site, blank=True)
    teams = models.ManyToManyField(Team, blank=True)
    kinds = models.ManyToManyField(TeamKind, blank=True)
    audience_languages = models.JSONField(default=list)
    audience_interests = models.JSONField(
        default=list, help_text="Slugs of topics; people who follow one of them."
    )
    offer_name = models.CharField(max_length=200, blank=True)
    offer_terms_url = models.URLField(max_length=1000, blank=True)
    offer_ends_on = models.DateField(null=True, blank=True)
    embargo_until = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    revision = models.PositiveIntegerField(default=1)
    author = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="suggestions")
    owner = models.ForeignKey(
        Person,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who looks after it now; empty: its author. Four eyes count from the author.",
    )
    pattern = models.CharField(
        max_length=60, blank=True, help_text="Its name where others start from it; empty: none."
    )
    changed_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    handed_in_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    returned_note = models.TextField(blank=True)
    changed_at = models.DateTimeField()

    objects = SuggestionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-changed_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True, approved_by__isnull=True)
                | Q(approved_at__isnull=False, approved_by__isnull=False),
                name="suggestion_approved_at_by",
            ),
            models.CheckConstraint(
                condition=~Q(state="approved") | Q(approved_at__isnull=False),
                name="suggestion_approved_has_approver",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True)
                | Q(embargo_until__isnull=True)
                | Q(expires_at__gt=models.F("embargo_until")),
                name="suggestion_ends_after_embargo",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["-approved_at"], condition=Q(state="approved"), name="suggestion_live"
            ),
            models.Index(fields=["state", "-changed_at", "-id"], name="suggestion_lane"),
            models.Index(
                fields=["embargo_until"],
                condition=Q(embargo_until__isnull=False) & ~Q(state="withdrawn"),
                name="suggestion_begins",
            ),
            models.Index(
                fields=["expires_at", "state"],
                condition=~Q(state="withdrawn"),
                name="suggestion_ends",
            ),
            models.Index(fields=["pattern"], condition=~Q(pattern=""), name="suggestion_pattern"),
            GinIndex(stems("title"), name="suggestion_stems"),
            HashIndex(fields=["link_url"], condition=~Q(link_url=""), name="suggestion_link"),
            models.Index(
                fields=["handed_in_at"], condition=Q(state="in_review"), name="suggestion_waiting"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def seen(self) -> str:
        """Number and revision, for forms that act on exactly what was shown."""
        return f"{self.pk}:{self.revision}"

    @property
    def idea_of(self) -> str:
        """Whose idea it was, if they want it said. Read it with ``proposal__person`` joined."""
        proposal = getattr(self, "proposal", None)
        if proposal is None or not proposal.show_name or proposal.person.left_at:
            return ""
        return str(proposal.person.name)

    def is_live(self, now: dt.datetime) -> bool:
        """Tell whether it may be shared now; the same rule as the queryset's."""
        return (
            self.state == self.State.APPROVED
            and not self.is_held
            and not self.topic.is_held
            and self.topic.archived_at is None
            and (self.embargo_until is None or self.embargo_until <= now)
            and (self.expires_at is None or self.expires_at > now)
        )

    def draft(self, variant: "Variant") -> str:
        """The wording people start from; none while the topic has no official line."""
        return "" if self.topic.own_view else variant.text


class Variant(models.Model):
    """One wording, for all networks or one, in a language. ``[…]`` is a personal gap."""

    suggestion = models.ForeignKey(Suggestion, on_delete=models.CASCADE)
    name = models.CharField(max_length=40)
    language = models.CharField(max_length=2, default="de")
    network = models.CharField(max_length=20, blank=True)
    text = models.TextField()
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["position", "pk"]
        indexes: ClassVar = [GinIndex(stems("text"), name="variant_stems")]

    def __str__(self) -> str:
        return self.name
