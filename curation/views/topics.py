"""Topics at the desk: what holds, whose it is, which light and why."""

import re
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors import tidying
from ambassadors.kept import kept_form
from ambassadors.models import Guideline, GuidelineVersion, Person
from campaigns import lights, topics, wording
from campaigns.lights import LightRefused
from campaigns.models import LightChange, Line, Topic
from campaigns.topics import MOST_ROWS, StaleTopic, TopicRefused
from curation.forms import lines

from .briefings import curators

_CHANGES = 50
_SPARE = 2  # empty rows that wait for the next fact, pair of words or link
_LONGEST_CELL = 500  # characters
# The repeated rows of the form: name of the list, then its two inputs and what they are called.
ROWS = {
    "facts": ("fact", "source"),
    "glossary": ("say", "instead_of"),
    "links": ("title", "url"),
}
_https = URLValidator(["https"])
_LINK = re.compile(r"\w+:\S")  # a source may also be words: "Fact sheet: November"


class TopicForm(forms.ModelForm):  # type: ignore[type-arg]
    """Everything but the rows and the light."""

    leave_out_text = forms.CharField(required=False, widget=forms.Textarea, max_length=4000)
    say = forms.CharField(required=False, max_length=4000)
    if_asked = forms.CharField(required=False, max_length=4000)
    language = forms.ChoiceField(choices=Person.Language.choices)

    class Meta:
        model = Topic
        fields = ("title", "language", "rule", "say", "if_asked", "owner", "deputies")

    def clean_title(self) -> str:
        """A title is one line."""
        return tidying.line(self.cleaned_data["title"])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("owner", "deputies"):
            self.fields[name].queryset = curators()  # type: ignore[attr-defined]
        self.fields["deputies"].required = False


Row = dict[str, str]


def _typed_rows(form: QueryDict) -> dict[str, list[Row]]:
    """The repeated rows of the form; empty ones fall away."""
    found: dict[str, list[Row]] = {}
    for name, (first, second) in ROWS.items():
        a, b = form.getlist(f"{name}_{first}"), form.getlist(f"{name}_{second}")
        pairs = zip(a, b, strict=False)
        rows = [{first: wording.clean(x), second: wording.clean(y)} for x, y in pairs]
        found[name] = [row for row in rows if any(row.values())]
    return found


def _wrong(rows: dict[str, list[Row]]) -> dict[str, str]:
    """What is wrong with the rows, by list."""
    errors: dict[str, str] = {}
    for name, list_ in rows.items():
        if len(list_) > MOST_ROWS:
            errors[name] = _("At most %(most)s rows.") % {"most": MOST_ROWS}
        if any(len(cell) > _LONGEST_CELL for row in list_ for cell in row.values()):
            errors[name] = _("Shorter please, at most %(most)s characters.") % {
                "most": _LONGEST_CELL
            }
    if any(row["source"] and not row["fact"] for row in rows["facts"]):
        errors["facts"] = _("Write the fact beside its source.")
    sources = [row["source"] for row in rows["facts"] if _LINK.match(row["source"])]
    ours = {guideline_page(slug) for slug in Guideline.objects.values_list("slug", flat=True)}
    links = [row["url"] for row in rows["links"] if row["url"] not in ours]
    for name, addresses in (("facts", sources), ("links", links)):
        for address in addresses:
            try:
                _https(address)
            except ValidationError:
                sentence = _("“%(link)s” is no link that begins with https://.")
                errors.setdefault(name, sentence % {"link": address[:60]})
    return errors


def guideline_page(slug: str) -> str:
    """Where a guideline of ours is read; a topic may link to it as to any other page."""
    return reverse("guideline", args=[slug])


def topic_list(request: HttpRequest) -> HttpResponse:
    """All topics, or the archive."""
    archive = request.GET.get("archive") == "1"
    rows = Topic.objects.filter(archived_at__isnull=not archive).select_related("owner")
    context = {
        "topics": sorted(rows, key=lambda topic: topic.rank),
        "archive": archive,
    }
    return render(request, "topic_list.html", context)


def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Show a topic to its curators; on POST save. The second save of two loses neither."""
    person, now = cast("Person", request.user), timezone.now()
    topic = get_object_or_404(Topic, pk=pk) if pk is not None else Topic(language=person.language)
    data = request.POST if request.method == "POST" else kept_form(request)
    if data is None:
        return _page(request, topic, _fresh(topic, person), _rows_of(topic))
    form, rows = TopicForm(data, instance=topic), _typed_rows(data)
    if request.method != "POST" or data.get("act") == "rows":
        return _page(request, topic, form, rows, spare=5)
    errors = _wrong(rows)
    if not form.is_valid() or errors:
        return _page(request, topic, form, rows, errors=errors, status=422)
    for name, list_ in rows.items():
        setattr(topic, name, list_)
    topic.leave_out = lines(form.cleaned_data["leave_out_text"])
    if topic.pk is None:
        first = data.get("light", Line.CAREFUL)
        topic.own_view = first == Line.OWN
        topic.light_when_free = Line.SHARE if first == Line.SHARE else Line.CAREFUL
    try:
        saved = topics.save(
            topic=topic,
            deputies=list(form.cleaned_data["deputies"]),
            seen_revision=int(seen[:9]) if (seen := data.get("revision", "")).isdecimal() else 0,
            by=person,
            now=now,
        )
    except StaleTopic:
        theirs = Topic.objects.get(pk=topic.pk)
        return _page(request, topic, form, rows, theirs=theirs, status=409)
    messages.success(request, _("Saved."))
    return redirect("topic_edit", pk=saved.pk)


def _fresh(topic: Topic, person: Person) -> TopicForm:
    initial: dict[str, Any] = {"leave_out_text": "\n".join(topic.leave_out)}
    if topic.pk is None:
        initial["owner"] = person.pk
    return TopicForm(instance=topic, initial=initial)


def _rows_of(topic: Topic) -> dict[str, list[Row]]:
    return {name: list(getattr(topic, name)) for name in ROWS}


def _page(
    request: HttpRequest,
    topic: Topic,
    form: TopicForm,
    rows: dict[str, list[Row]],
    *,
    errors: dict[str, str] | None = None,
    theirs: Topic | None = None,
    status: int = 200,
    spare: int = _SPARE,
) -> HttpResponse:
    chosen = form["deputies"].value() or []
    context = {
        "topic": topic,
        "form": form,
        "rows": {name: [*list_, *({} for _n in range(spare))] for name, list_ in rows.items()},
        "errors": errors or {},
        "theirs": theirs,
        "revision": theirs.revision if theirs else request.POST.get("revision", topic.revision),
        "deputies": {str(getattr(one, "pk", one)) for one in chosen},
        "curators": curators(),
        "offered": [
            (guideline_page(version.guideline.slug), version)
            for version in GuidelineVersion.objects.in_force(timezone.now()).select_related(
                "guideline"
            )
        ],
        "changes": history(topic) if topic.pk else [],
    }
    return render(request, "topic_edit.html", context, status=status)


def history(topic: Topic) -> list[LightChange]:
    """The changes of the light with the names of who made them; two queries."""
    changes = list(topic.changes.all()[:_CHANGES])
    people = Person.objects.in_bulk({c.actor_id for c in changes if c.actor_id})
    for change in changes:
        who = people.get(change.actor_id) if change.actor_id else None
        change.who = who.name if who else ""  # type: ignore[attr-defined]
    return changes


def light(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the light, with a reason; hold and its release have a page of their own."""
    person, now = cast("Person", request.user), timezone.now()
    topic = get_object_or_404(Topic.objects.current(), pk=pk)
    wanted = request.POST.get("light") or request.GET.get("light", "")
    if wanted == Line.HOLD or topic.is_held:
        return redirect("hold", pk=pk)
    error, why = "", wording.clean(request.POST.get("why", ""))
    seen = request.POST.get("seen", topic.line)
    if request.method == "POST" and "why" in request.POST:
        error = _wrong_light(wanted, seen, why)
        if not error:
            try:
                lights.change(topic=topic, to=wanted, seen=seen, why=why, by=person, now=now)
            except LightRefused as refused:
                topic.refresh_from_db()
                error, seen = str(refused), topic.line
            else:
                messages.success(
                    request, _("The light is set. Open pages show it within a minute.")
                )
                return redirect("desk")
    context = {
        "topic": topic,
        "wanted": wanted if wanted in Line.values else topic.line,
        "seen": seen if seen in Line.values else topic.line,
        "why": why,
        "error": error,
        "changes": history(topic)[:5],
    }
    return render(request, "light.html", context, status=422 if error else 200)


def _wrong_light(wanted: str, seen: str, why: str) -> str:
    free = {Line.SHARE, Line.CAREFUL, Line.OWN}
    if wanted not in free or seen not in free:
        return _("Choose one of the lights.")
    if wanted == seen:
        return _("It stands so already.")
    if not why:
        return _("Say in one sentence why. Everybody reads it.")
    if len(why) > lights.LONGEST_WHY:
        return _("Shorter please, at most %(most)s characters.") % {"most": lights.LONGEST_WHY}
    return ""


@require_POST
def archive(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a topic away, or bring it back."""
    person, now = cast("Person", request.user), timezone.now()
    topic = get_object_or_404(Topic, pk=pk)
    try:
        if request.POST.get("act") == "back":
            topics.bring_back(topic=topic, by=person, now=now)
            messages.success(request, _("It is back."))
        elif topics.archive(topic=topic, by=person, now=now):
            messages.success(request, _("In the archive. Its page and its history stay."))
    except TopicRefused as refused:
        messages.error(request, str(refused))
    return redirect("topic_edit", pk=pk)
