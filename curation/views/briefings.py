"""The day's issue at the desk: order, notes, call, contact; out now or at a set time."""

import datetime as dt
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.validators import URLValidator
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from ambassadors.kept import kept_form
from ambassadors.models import Person
from campaigns import briefings, wording
from campaigns.briefings import Draft, IssueRefused, StaleIssue
from campaigns.models import Briefing, BriefingItem, Topic
from campaigns.share_checks import ShareRefused
from campaigns.views.briefings import day_of
from campaigns.views.composer import on_clock

_LONGEST_NOTE = 1000  # characters of a topic's note
_AHEAD = 7  # days offered on the list
_PAST = 14
Focus = tuple[str, int]


class IssueForm(forms.Form):
    """Everything but the topics."""

    note = forms.CharField(required=False, max_length=4000, strip=True)
    dial_in = forms.CharField(
        required=False,
        max_length=500,
        validators=[
            URLValidator(
                ["https"], message=gettext_lazy("A link that begins with https://, please.")
            )
        ],
    )
    starts_at = forms.TimeField(
        required=False, error_messages={"invalid": gettext_lazy("Write a time, like 09:15.")}
    )
    contact = forms.ModelChoiceField(Person.objects.none(), required=False)
    publish_at = forms.DateTimeField(
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        error_messages={"invalid": gettext_lazy("Write a day and a time.")},
    )
    change_note = forms.CharField(required=False, max_length=240)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["contact"].queryset = curators()  # type: ignore[attr-defined]


def curators() -> QuerySet[Person]:
    """Who may be the contact of an issue or keep a topic."""
    return Person.objects.filter(role__name="curator", left_at__isnull=True, is_active=True)


def issues(request: HttpRequest) -> HttpResponse:
    """The coming days and the last two weeks; a day of one's choice."""
    person, now = cast("Person", request.user), timezone.now()
    today, typed = person.local(now).date(), request.GET.get("day", "")
    error = ""
    if typed:
        try:
            chosen = dt.date.fromisoformat(typed)
        except ValueError:
            error = _("Write a day.")
        else:
            if today <= chosen <= today + briefings.FARTHEST:
                return redirect("issue_edit", day=chosen.isoformat())
            error = _("Choose a day from today on, at most three months ahead.")
    begin, end = today - dt.timedelta(days=_PAST), today + briefings.FARTHEST
    rows = Briefing.objects.filter(day__gte=begin, day__lte=end).prefetch_related(
        "briefingitem_set__topic"
    )
    by_day = {row.day: row for row in rows}
    ahead = {today + dt.timedelta(days=n) for n in range(_AHEAD)}
    ahead = {day for day in ahead if day.weekday() < 5} | {d for d in by_day if d >= today}
    context = {
        "ahead": [(day, by_day.get(day)) for day in sorted(ahead)],
        "past": [row for row in rows if row.day < today],
        "today": today,
        "typed": typed[:40],
        "error": error,
    }
    return render(request, "issues.html", context, status=422 if error else 200)


def edit(request: HttpRequest, day: str) -> HttpResponse:
    """Show the issue of a day; on POST move a line, or save, or save and publish."""
    person, now = cast("Person", request.user), timezone.now()
    date = day_of(day)
    if not dt.date(2000, 1, 1) <= date <= person.local(now).date() + briefings.FARTHEST:
        raise Http404
    issue = Briefing.objects.select_related("contact").filter(day=date).first()
    if issue is None and date < briefings.today(now):
        raise Http404
    if request.method != "POST":
        return _opened(request, date, issue)
    form, items = IssueForm(request.POST), _typed_items(request.POST)
    act = request.POST.get("act", "save")
    if act not in {"save", "publish"}:
        focus = _arrange(items, act, request.POST.get("add", ""))
        return _page(request, date, issue, form, items, focus=focus)
    if not form.is_valid():
        return _page(request, date, issue, form, items, status=422)
    try:
        draft = _draft(date, form, items, person)
        with transaction.atomic():
            if act == "publish":
                draft.publish_at = None
            saved = briefings.save(draft=draft, seen_revision=_seen(request), by=person, now=now)
            if act == "publish":
                briefings.publish(briefing=saved, seen_revision=saved.revision, by=person, now=now)
    except StaleIssue:
        theirs = Briefing.objects.select_related("contact").get(day=date)
        return _page(request, date, issue, form, items, status=409, theirs=theirs)
    except IssueRefused as refused:
        name = refused.field if refused.field in form.fields else None
        form.add_error(name, refused.sentence)
        return _page(request, date, issue, form, items, status=422)
    messages.success(request, _said(saved, act))
    return redirect("issue_edit", day=day)


def _opened(request: HttpRequest, date: dt.date, issue: Briefing | None) -> HttpResponse:
    """What was kept over a login, what is stored, or a new day like the latest issue."""
    if kept := kept_form(request):
        return _page(request, date, issue, IssueForm(kept), _typed_items(kept))
    source = issue or Briefing.objects.filter(day__lt=date).first()
    form = IssueForm(initial=_stored(issue, source))
    return _page(request, date, issue, form, _stored_items(issue, source))


def _said(saved: Briefing, act: str) -> str:
    if act == "publish":
        return _("The issue is out.")
    if saved.published_at:
        return _("Saved. Readers see that the issue was changed.")
    return _("Saved.")


def _stored(issue: Briefing | None, source: Briefing | None) -> dict[str, Any]:
    """What the form shows first; a new day begins with the call and contact of the latest issue."""
    if source is None:
        return {}
    local = timezone.localtime(source.starts_at) if source.starts_at else None
    found = {
        "dial_in": source.dial_in,
        "starts_at": f"{local:%H:%M}" if local else "",
        "contact": source.contact_id,
    }
    if issue:
        at = timezone.localtime(issue.publish_at) if issue.publish_at else None
        found |= {
            "note": issue.note,
            "publish_at": f"{at:%Y-%m-%dT%H:%M}" if at else "",
            "change_note": issue.change_note,
        }
    return found


def _stored_items(issue: Briefing | None, source: Briefing | None) -> list[BriefingItem]:
    """The lines; a new day begins with the topics of the latest issue, without its notes."""
    if source is None:
        return []
    items = source.briefingitem_set.select_related("topic").filter(topic__archived_at__isnull=True)
    if issue:
        return list(items)
    return [BriefingItem(topic=item.topic) for item in items]


def _typed_items(form: QueryDict) -> list[BriefingItem]:
    """The lines of the form in their order, each topic once."""
    ids, notes = form.getlist("item"), form.getlist("item_note")
    topics = Topic.objects.in_bulk([int(text) for text in ids if _is_id(text)])
    found: dict[int, BriefingItem] = {}
    for index, text in enumerate(ids):
        topic = topics.get(int(text)) if _is_id(text) else None
        if topic and topic.pk not in found:
            note = wording.clean(notes[index]) if index < len(notes) else ""
            found[topic.pk] = BriefingItem(topic=topic, note=note)
    return list(found.values())


def _arrange(items: list[BriefingItem], act: str, add: str) -> Focus:
    """Move, remove or add a line; returns which control of which topic keeps the focus."""
    kind, _colon, number = act.partition(":")
    if kind == "add":
        topic = Topic.objects.current().filter(pk=int(add)).first() if _is_id(add) else None
        if topic is None or topic.pk in {item.topic_id for item in items}:
            return ("add", 0)
        items.append(BriefingItem(topic=topic))
        return ("note", topic.pk)
    at = next((i for i, item in enumerate(items) if str(item.topic_id) == number), -1)
    if at < 0:
        return ("", 0)
    if kind == "remove":
        items.pop(at)
        return ("add", 0)
    to = at - 1 if kind == "up" else at + 1
    if 0 <= to < len(items):
        items[at], items[to] = items[to], items[at]
    return (kind, int(number))


def _is_id(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) < 19


def _draft(date: dt.date, form: IssueForm, items: list[BriefingItem], person: Person) -> Draft:
    """What the form says, as the verb takes it. Raises IssueRefused beside a field."""
    typed = form.cleaned_data
    if len(items) > briefings.MOST_TOPICS:
        sentence = _("At most %(most)s topics: nobody reads more in three minutes.")
        raise IssueRefused("items", sentence % {"most": briefings.MOST_TOPICS})
    for item in items:
        if len(item.note) > _LONGEST_NOTE:
            sentence = _("The note on “%(topic)s” is longer than %(most)s characters.")
            raise IssueRefused(
                "items", sentence % {"topic": item.topic.title, "most": _LONGEST_NOTE}
            )
    starts_at = None
    if typed["starts_at"]:
        try:
            starts_at = on_clock(dt.datetime.combine(date, typed["starts_at"]), person.zone)
        except ShareRefused as error:
            raise IssueRefused("starts_at", error.sentence) from error
    return Draft(
        day=date,
        note=wording.clean(typed["note"]),
        dial_in=typed["dial_in"],
        starts_at=starts_at,
        contact=typed["contact"],
        publish_at=typed["publish_at"],
        change_note=typed["change_note"],
        items=items,
    )


def _seen(request: HttpRequest) -> int:
    """The revision that stood in the form, 0 for an issue that was not there."""
    text = request.POST.get("revision", "0")
    return int(text[:9]) if text.isdecimal() and text.isascii() else 0


def _page(
    request: HttpRequest,
    date: dt.date,
    issue: Briefing | None,
    form: IssueForm,
    items: list[BriefingItem],
    *,
    status: int = 200,
    theirs: Briefing | None = None,
    focus: Focus = ("", 0),
) -> HttpResponse:
    known = theirs or issue
    posted = request.POST.get("revision") if theirs is None else None
    placed = {item.topic_id for item in items}
    context = {
        "day": date,
        "issue": issue,
        "form": form,
        "items": items,
        "theirs": theirs,
        "theirs_items": theirs.briefingitem_set.select_related("topic") if theirs else [],
        "revision": posted or (known.revision if known else 0),
        "others": [t for t in Topic.objects.current() if t.pk not in placed],
        "curators": curators(),
        "over": date < briefings.today(timezone.now()),
        "weekend": date.weekday() > 4,
        "focus": focus,
    }
    return render(request, "issue_edit.html", context, status=status)


@require_POST
def withdraw(request: HttpRequest, day: str) -> HttpResponse:
    """Take an issue back into drafts."""
    person, now = cast("Person", request.user), timezone.now()
    issue = Briefing.objects.filter(day=day_of(day)).first()
    if issue and briefings.withdraw(briefing=issue, by=person, now=now):
        messages.success(request, _("Taken back. Nobody reads it any more, and no mail begins."))
    return redirect("issue_edit", day=day)
