"""Sources at the desk: add one, see what would come, read its health, sort by rules."""

import datetime as dt
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors.models import Person
from campaigns.models import Suggestion, Topic
from campaigns.models.programme import ContentClass
from curation import source_items, sources
from curation.models import Source, SourceItem, SourceRule
from curation.sources import NotNow
from integrations import reasons
from integrations.feed_rows import Feed, Reading, Unreadable

_PAGE = 20
_SHOWN = 8  # entries of a preview
_AGAIN = dt.timedelta(minutes=1)  # no server is asked more often, whoever presses
_LANGUAGES = (("de", "Deutsch"), ("en", "English"))


class AddressForm(forms.Form):
    """The one field a source begins with."""

    url = forms.URLField(max_length=1000, assume_scheme="https")


class SourceForm(forms.ModelForm):  # type: ignore[type-arg]
    """What the drafts of a source are, unless a rule says otherwise."""

    language = forms.ChoiceField(choices=_LANGUAGES)
    drafts = forms.TypedChoiceField(
        choices=[(number, str(number)) for number in (0, 1, 3, 10)], coerce=int, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        topic = cast("forms.ModelChoiceField[Topic]", self.fields["topic"])
        topic.empty_label = _("Choose a topic")
        topic.queryset = Topic.objects.offered(self.instance.topic_id)
        self.fields["content_class"].choices = ContentClass.choices  # type: ignore[attr-defined]
        self.fields["tone"].choices = Suggestion.Tone.choices  # type: ignore[attr-defined]

    class Meta:
        model = Source
        fields = ("name", "topic", "content_class", "tone", "language", "every_minutes")


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """One rule; whatever is left empty stays as the source has it."""

    language = forms.ChoiceField(choices=(("", ""), *_LANGUAGES), required=False)

    class Meta:
        model = SourceRule
        fields = ("words", "topic", "content_class", "tone", "language", "skip")


def sources_list(request: HttpRequest) -> HttpResponse:
    """All sources with their health."""
    rows = (
        Source.objects.select_related("topic", "keeper")
        .annotate(
            seen=Count("items", distinct=True),
            drafts=Count("items", filter=Q(items__suggestion__isnull=False), distinct=True),
        )
        .order_by("name", "pk")
    )
    page = Paginator(rows, _PAGE).get_page(request.GET.get("page"))
    for row in page:
        row.health = _health(row)  # type: ignore[attr-defined]
    return render(request, "sources.html", {"page": page, "form": AddressForm()})


def _health(source: Source) -> tuple[str, str]:
    """How a source is, as ``(ok|warn|no|wait, sentence)``."""
    if source.why:
        return ("no" if source.failures > 2 else "warn"), reasons.sentence(
            source.why, source.detail
        )
    if source.paused_at:
        return "wait", _("Paused.")
    if source.keeper.left_at:
        return "warn", _("Who kept it has left. Save it to take it over; then drafts come again.")
    return "ok", _("Works.")


def new(request: HttpRequest) -> HttpResponse:
    """Show what would come from an address; on POST keep it."""
    person, now = cast("Person", request.user), timezone.now()
    typed = request.POST if request.method == "POST" else request.GET
    address = AddressForm({"url": typed.get("url", "")})
    if not address.is_valid():
        return render(request, "source_new.html", {"address": address}, status=422)
    url = address.cleaned_data["url"]
    if known := Source.objects.filter(url=url).first():
        messages.info(request, _("This address is among the sources already."))
        return redirect("source", pk=known.pk)
    try:
        reading = sources.look(url, now=now)
    except Unreadable as error:
        address.add_error("url", reasons.sentence(error.why, error.detail))
        return render(request, "source_new.html", {"address": address}, status=422)
    if request.method != "POST":
        return _preview(request, address, reading, _fresh(reading))
    form = SourceForm(request.POST)
    if not form.is_valid():
        return _preview(request, address, reading, form, status=422)
    try:
        kept = sources.add(
            source=form.save(commit=False),
            reading=reading,
            drafts=form.cleaned_data["drafts"] or 0,
            by=person,
            now=now,
        )
    except NotNow as error:
        form.add_error(None, str(error))
        return _preview(request, address, reading, form, status=422)
    messages.success(request, _("The source is kept. New entries become drafts from now on."))
    return redirect("source", pk=kept.pk)


def _fresh(reading: Reading) -> SourceForm:
    feed = cast("Feed", reading.feed)
    jobs = feed.kind == Feed.JOBS
    initial = {
        "name": feed.title[:80],
        "content_class": ContentClass.JOB_AD if jobs else ContentClass.EMPLOYER_BRAND,
        "tone": "useful",
        "every_minutes": Source.Every.HOUR,
        "drafts": 0,
    }
    return SourceForm(initial=initial)


def _preview(
    request: HttpRequest,
    address: AddressForm,
    reading: Reading,
    form: SourceForm,
    *,
    status: int = 200,
) -> HttpResponse:
    feed = cast("Feed", reading.feed)
    context = {
        "address": address,
        "form": form,
        "feed": feed,
        "url": reading.url,
        "kind": Source.Kind(feed.kind).label,
        "entries": feed.entries[:_SHOWN],
        "count": len(feed.entries),
    }
    return render(request, "source_new.html", context, status=status)


def source(request: HttpRequest, pk: int) -> HttpResponse:
    """One source; on POST its settings change."""
    row = get_object_or_404(Source.objects.select_related("topic", "keeper"), pk=pk)
    if request.method != "POST":
        return _page(request, row, SourceForm(instance=row), RuleForm())
    form = SourceForm(request.POST, instance=row)
    if not form.is_valid():
        stored = get_object_or_404(Source.objects.select_related("topic", "keeper"), pk=pk)
        return _page(request, stored, form, RuleForm(), status=422)
    sources.change(source=row, by=cast("Person", request.user), now=timezone.now())
    messages.success(request, _("Saved."))
    return redirect("source", pk=pk)


def _page(
    request: HttpRequest, row: Source, form: SourceForm, rule_form: RuleForm, *, status: int = 200
) -> HttpResponse:
    rules = list(row.sourcerule_set.select_related("topic"))
    items = row.items.select_related("suggestion")
    page = Paginator(items, _PAGE).get_page(request.GET.get("page"))
    for item in page:
        item.outcome = source_items.outcome(row, rules, item.title, item.categories)  # type: ignore[attr-defined]
    context: dict[str, Any] = {
        "source": row,
        "health": _health(row),
        "form": form,
        "rule_form": rule_form,
        "rules": rules,
        "page": page,
    }
    return render(request, "source.html", context, status=status)


@require_POST
def act(request: HttpRequest, pk: int) -> HttpResponse:
    """Read now, pause, resume or remove a source."""
    row = get_object_or_404(Source, pk=pk)
    person, now = cast("Person", request.user), timezone.now()
    match request.POST.get("act"):
        case "read":
            _read_now(request, row, now)
        case "pause":
            sources.pause(source=row, by=person, now=now)
            messages.success(request, _("Paused."))
        case "resume":
            sources.resume(source=row, by=person, now=now)
            messages.success(request, _("It is read again."))
        case "remove":
            sources.remove(source=row, by=person, now=now)
            messages.success(request, _("The source is forgotten. Its drafts stay."))
            return redirect("sources")
    return redirect("source", pk=pk)


def _read_now(request: HttpRequest, row: Source, now: dt.datetime) -> None:
    if row.tried_at and now - row.tried_at < _AGAIN:
        messages.info(request, _("It was asked less than a minute ago. Wait a little."))
        return
    claimed = sources.claim(now=now, pk=row.pk)
    if claimed is None:
        messages.info(request, _("It is paused, or just being read."))
    elif sources.read(claimed, now=now):
        messages.success(request, _("Read."))


@require_POST
def rule_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a rule of a source."""
    row = get_object_or_404(Source.objects.select_related("topic", "keeper"), pk=pk)
    form = RuleForm(request.POST, instance=SourceRule(source=row))
    if form.is_valid():
        try:
            sources.add_rule(
                rule=form.save(commit=False), by=cast("Person", request.user), now=timezone.now()
            )
        except NotNow as error:
            form.add_error("words", str(error))
        else:
            messages.success(request, _("The rule is kept. It counts from the next entry on."))
            return redirect("source", pk=pk)
    return _page(request, row, SourceForm(instance=row), form, status=422)


@require_POST
def rule_remove(request: HttpRequest, pk: int, rule: int) -> HttpResponse:
    """Forget a rule."""
    row = get_object_or_404(SourceRule, pk=rule, source=pk)
    sources.remove_rule(rule=row, by=cast("Person", request.user), now=timezone.now())
    return redirect("source", pk=pk)


@require_POST
def draft(request: HttpRequest, pk: int, item: int) -> HttpResponse:
    """Write the draft of one entry in the name of who asks, and open it."""
    row = get_object_or_404(SourceItem.objects.select_related("source"), pk=item, source=pk)
    rules = list(row.source.sourcerule_set.select_related("topic"))
    made = source_items.write(
        source=row.source,
        item=row,
        rules=rules,
        by=cast("Person", request.user),
        now=timezone.now(),
    )
    row.refresh_from_db()
    found = made.pk if made else row.suggestion_id
    return redirect("suggestion_edit", pk=found) if found else redirect("source", pk=pk)
