"""Drafts of curators: written by programs, looked at and approved by people.

A token cannot approve: the second pair of eyes is a person's, and a program that holds a curator's
token has none. It may write a draft and hand it in.
"""

from typing import Any, cast

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, QueryDict
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from ambassadors.models import Person
from campaigns import contents, reviews, suggestions, versions
from campaigns.models import Suggestion, Variant
from campaigns.models.programme import ContentClass
from campaigns.suggestions import NotAllowed, StaleRevision
from curation import forms
from curation.forms import SuggestionForm
from integrations.networks import NETWORKS

from .asking import key, word
from .endpoint import Endpoint, listing, operation
from .fields import Body, Day, Instant, Key, Text, Word
from .problems import Problem
from .suggestions import WordingBody

_TAG = "Drafts"
_LINES = {"prompts": (10, 180), "facts": (20, 180), "leave_out": (20, 180)}  # how many, how long
_LINK = r"^https://[!-~]*$"
_LANGUAGES = Person.Language.values


class Keys(serializers.ListField):
    """The numbers of the rows in a set."""

    child = serializers.IntegerField()

    def to_representation(self, data: Any) -> list[int]:
        """Tell them in order; the rows were read with the draft."""
        return sorted(row.pk for row in data.all())


class DraftBody(serializers.Serializer[Suggestion]):
    """A suggestion as its curators see it. ``can_be_handed_in`` follows from ``checks``."""

    id = serializers.IntegerField(source="pk")
    state = serializers.ChoiceField(Suggestion.State.values)
    held = serializers.BooleanField(source="is_held")
    topic = serializers.IntegerField(source="topic_id")
    title = serializers.CharField()
    why = serializers.CharField()
    language = serializers.CharField()
    content_class = serializers.ChoiceField(ContentClass.values)
    tone = serializers.ChoiceField(Suggestion.Tone.values)
    link_url = serializers.CharField()
    link_title = serializers.CharField()
    link_description = serializers.CharField()
    prompts = serializers.ListField(child=serializers.CharField())
    facts = serializers.ListField(child=serializers.CharField())
    leave_out = serializers.ListField(child=serializers.CharField())
    embargo_until = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    offer_name = serializers.CharField()
    offer_terms_url = serializers.CharField()
    offer_ends_on = serializers.DateField(allow_null=True)
    sites = Keys()
    teams = Keys()
    kinds = Keys()
    audience_languages = serializers.ListField(child=serializers.CharField())
    audience_interests = serializers.ListField(
        child=serializers.CharField(), help_text="Slugs of topics."
    )
    returned_note = serializers.CharField()
    changed_at = serializers.DateTimeField()
    wordings = WordingBody(many=True, source="variant_set")


class NewWording(Body):
    """One wording of a draft."""

    name = Text(40, required=False)
    language = Word(_LANGUAGES, required=False, help_text="`de` without it.")
    network = Word(["", *sorted(NETWORKS)], required=False)
    text = Text(5_000, least=1)


def _lines(name: str) -> serializers.ListField:
    most, long = _LINES[name]
    return serializers.ListField(child=Text(long), max_length=most, required=False)


def _keys() -> serializers.ListField:
    return serializers.ListField(child=Key(), max_length=100, required=False)


class DraftChange(Body):
    """What changes; what is not named stays. A list replaces the whole list."""

    topic = Key(required=False)
    title = Text(120, least=1, required=False)
    why = Text(240, required=False)
    language = Word(_LANGUAGES, required=False)
    content_class = Word(ContentClass.values, required=False)
    tone = Word(Suggestion.Tone.values, required=False)
    link_url = Text(1000, required=False, help_text="Begins with https://, or is empty.")
    link_title = Text(200, required=False)
    link_description = Text(400, required=False)
    prompts = _lines("prompts")
    facts = _lines("facts")
    leave_out = _lines("leave_out")
    embargo_until = Instant(required=False, allow_null=True)
    expires_at = Instant(required=False, allow_null=True)
    offer_name = Text(200, required=False)
    offer_terms_url = Text(1000, required=False)
    offer_ends_on = Day(required=False, allow_null=True)
    sites, teams, kinds = _keys(), _keys(), _keys()
    audience_languages = serializers.ListField(child=Word(_LANGUAGES), max_length=2, required=False)
    audience_interests = serializers.ListField(
        child=Text(50, least=1), max_length=100, required=False
    )
    wordings = serializers.ListField(child=NewWording(), max_length=20, required=False)


class NewDraft(DraftChange):
    """A new draft."""

    topic = Key()
    title = Text(120, least=1)


def _all() -> "QuerySet[Suggestion]":
    return Suggestion.objects.exclude(state="withdrawn").prefetch_related(
        "variant_set", "sites", "teams", "kinds"
    )


def _tag(draft: Suggestion) -> dict[str, str]:
    """The state that If-Match speaks of."""
    return {"ETag": f'"{draft.revision}.{draft.state}"'}


def _shown(pk: int) -> tuple[Suggestion, dict[str, str]]:
    draft = get_object_or_404(_all(), pk=pk)
    return draft, _tag(draft)


def _write(suggestion: Suggestion, taken: dict[str, Any], by: Person, *, seen: int) -> Suggestion:
    """Save what the editor's form makes of it, with all its checks. Raises :class:`Problem`."""
    form, wordings = _form(suggestion, taken)
    valid = form.is_valid()
    wrong = [(name, str(sentence)) for name, said in form.errors.items() for sentence in said]
    wrong += [(f"wordings/{at}/text", said) for at, said in forms.troubles(wordings).items()]
    if wrong or not valid:
        raise Problem(422, "refused", wrong=[(n.removesuffix("_text"), s) for n, s in wrong])
    try:
        written = versions.write(
            suggestion=suggestion if suggestion.pk else None, mine=form.content(wordings),
            seen_revision=seen, submission=None, by=by, now=timezone.now(),
        )  # fmt: skip
    except NotAllowed as refused:
        raise Problem(422, "refused", str(refused)) from refused
    return written.suggestion


def _form(suggestion: Suggestion, taken: dict[str, Any]) -> tuple[SuggestionForm, list[Variant]]:
    """The editor's form, filled with what is stored and what was sent over it."""
    stored = contents.stored(suggestion) if suggestion.pk else None
    fields: dict[str, Any] = dict(stored["fields"]) if stored else {"language": "de"}
    fields["topic"] = fields.pop("topic_id", None)
    fields |= taken
    said = QueryDict(mutable=True)
    for name in SuggestionForm.base_fields:
        value = (
            fields.get(name.removesuffix("_text")) if name.endswith("_text") else fields.get(name)
        )
        match value:
            case None:
                continue
            case list() if name.endswith("_text"):
                said[name] = "\n".join(value)
            case list():
                said.setlist(name, value)
            case _:
                said[name] = _clock(value) if name in {"embargo_until", "expires_at"} else value
    for name, usual in (("content_class", ContentClass.EMPLOYER_BRAND), ("tone", "useful")):
        said.setdefault(name, str(usual))
    return SuggestionForm(said, instance=suggestion), _wordings(stored, taken)


def _clock(value: Any) -> str:
    """An instant as the form reads it; the clock of the API is UTC."""
    text = value if isinstance(value, str) else value.isoformat()
    return cast("str", text[:16])


def _wordings(stored: contents.Content | None, taken: dict[str, Any]) -> list[Variant]:
    if "wordings" not in taken:
        return contents.variants(stored) if stored else []
    said = QueryDict(mutable=True)
    for name in ("name", "language", "network", "text"):
        said.setlist(f"v_{name}", [wording.get(name, "") for wording in taken["wordings"]])
    return forms.variants(said)


class Drafts(Endpoint):
    """``/drafts``."""

    @listing(
        "list_drafts", "drafts:write", DraftBody, tag=_TAG, order=("-pk",),
        state=word("In this state.", ["draft", "in_review", "approved"]),
        topic=key("Of this topic."),
    )  # fmt: skip
    def get(self, request: Request, **asked: Any) -> "QuerySet[Suggestion]":
        """List what the newsroom works on, and what is out."""
        return _all().filter(**asked)

    @operation(
        "create_draft", "drafts:write", DraftBody, tag=_TAG, takes=NewDraft, status=201,
        writes=True, tagged=True,
    )  # fmt: skip
    def post(self, request: Request, taken: dict[str, Any]) -> Any:
        """Write a draft. Nobody but curators sees it before people approved it."""
        new = Suggestion(changed_at=timezone.now())
        made = _write(new, taken, self.person(request), seen=0)
        draft, headers = _shown(made.pk)
        return draft, {**headers, "Location": f"/api/v1/drafts/{draft.pk}"}


class OneDraft(Endpoint):
    """``/drafts/{id}``."""

    @operation("read_draft", "drafts:write", DraftBody, tag=_TAG, finds=True, tagged=True)
    def get(self, request: Request, pk: int) -> tuple[Suggestion, dict[str, str]]:
        """Read a draft, or a suggestion as its curators see it."""
        return _shown(pk)

    @operation(
        "change_draft", "drafts:write", DraftBody, tag=_TAG, takes=DraftChange, finds=True,
        tagged=True, guarded=True, writes=True,
    )  # fmt: skip
    def patch(
        self, request: Request, pk: int, taken: dict[str, Any], seen: str
    ) -> tuple[Suggestion, dict[str, str]]:
        """Change a draft. What waits for review or is out is changed by people."""
        draft = _seen(pk, seen)
        _write(draft, taken, self.person(request), seen=draft.revision)
        return _shown(pk)


class Review(Endpoint):
    """``/drafts/{id}/review``."""

    @operation(
        "hand_in_draft", "drafts:write", DraftBody, tag=_TAG, finds=True, tagged=True,
        guarded=True, writes=True,
    )  # fmt: skip
    def post(self, request: Request, pk: int, seen: str) -> tuple[Suggestion, dict[str, str]]:
        """Hand a draft in for review. Approving it is left to people."""
        draft = _seen(pk, seen)
        try:
            reviews.hand_in(
                suggestion=draft, seen_revision=draft.revision, by=self.person(request),
                now=timezone.now(),
            )  # fmt: skip
        except StaleRevision as stale:
            raise Problem(412, "changed") from stale
        except NotAllowed as refused:
            raise Problem(422, "refused", str(refused)) from refused
        return _shown(pk)


def _seen(pk: int, seen: str) -> Suggestion:
    """The draft as the client has seen it, locked until the write is done."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a draft is locked inside a transaction")
    try:
        draft = suggestions.lock(pk)
    except Suggestion.DoesNotExist as none:
        raise Http404 from none
    if draft.state == "withdrawn":
        raise Http404
    if _tag(draft)["ETag"] != seen:
        raise Problem(412, "changed")
    if draft.state != "draft":
        raise Problem(409, "state", "It is no draft any more. People change it in the editor.")
    return draft
