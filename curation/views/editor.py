"""Write suggestions. Whatever was typed is saved, merged, kept as a draft or in the history."""

import contextlib
import datetime as dt
import re
import uuid
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _

from ambassadors.kept import kept_form
from ambassadors.models import Person
from campaigns import contents, reviews, suggestions, uploads, versions, wording
from campaigns.models import Suggestion, Topic, Variant
from campaigns.previews import matrix
from campaigns.suggestions import NotAllowed, StaleRevision
from campaigns.versions import Written
from curation import comments, drafts, forms, presence, previews
from curation.clockfield import ClockField
from curation.differences import labels
from curation.forms import SuggestionForm
from curation.models import SourceItem
from curation.views.previews import sides
from integrations.networks import NETWORKS

from . import pictures, unfurl

_MOST_CHARACTERS = 1_000_000  # of all wordings together; above it the page is not drawn again


@dataclass(slots=True)
class Opened:
    """One opened form: what stands in it and what it was written on."""

    suggestion: Suggestion
    form: SuggestionForm
    variants: list[Variant]
    revision: int
    key: uuid.UUID


def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Show the editor; on POST save, and hand in if that button was pressed."""
    person, now = cast("Person", request.user), timezone.now()
    rows = Suggestion.objects.select_related("picture", "topic")
    suggestion = get_object_or_404(rows, pk=pk) if pk is not None else Suggestion(changed_at=now)
    if request.method != "POST":
        return page(request, _open(request, suggestion, person))
    if sum(map(len, request.POST.getlist("v_text"))) > _MOST_CHARACTERS:
        raise RequestDataTooBig
    data: QueryDict = request.POST
    beside: dict[str, object] = {}
    if data.get("act") == "unfurl":
        data, beside = unfurl.filled(data)
    opened = typed(request, suggestion, data)
    valid = opened.form.is_valid()
    if data.get("act") in {"add", "unfurl", "find_picture"} or "remove" in data:
        return page(request, opened, beside=beside)
    if valid:
        _take_picture(opened, data, person)
    if opened.form.errors or forms.troubles(opened.variants):
        return _again(request, opened, person, now)
    return _save(request, opened, person, now)


def _save(request: HttpRequest, opened: Opened, person: Person, now: dt.datetime) -> HttpResponse:
    """Save with the remarks typed beside it; the kept draft goes in the same transaction."""
    try:
        with transaction.atomic():
            written = versions.write(
                suggestion=opened.suggestion if opened.suggestion.pk else None,
                mine=opened.form.content(opened.variants),
                seen_revision=opened.revision,
                submission=opened.key,
                by=person,
                now=now,
            )
            drafts.forget(key=opened.key, by=person)
            said = comments.say_typed(
                suggestion=written.suggestion, typed=remarks(request.POST), by=person, now=now
            )
    except (NotAllowed, comments.NotSaid) as error:
        opened.form.add_error(None, str(error))
        return _again(request, opened, person, now)
    for name in ("embargo_until", "expires_at"):
        if note := cast("ClockField", opened.form.fields[name]).note:
            messages.warning(request, note)
    if said:
        messages.success(request, _("Your remark was said, too."))
    return _answer(request, written, opened.revision, person, now)


def remarks(form: QueryDict) -> dict[str, str]:
    """Remarks typed in the editor, by the thread they answer; the blank ones left out."""
    found = {
        name.removeprefix("comment-"): str(text)
        for name, text in form.items()
        if re.fullmatch(r"comment-(new|[0-9]{1,18})", name)
    }
    return {place: text for place, text in found.items() if not wording.is_blank(text)}


def typed(request: HttpRequest, suggestion: Suggestion, data: QueryDict | None = None) -> Opened:
    """The form as it came in, or as ``data`` completes it."""
    data = request.POST if data is None else data
    return Opened(
        suggestion,
        SuggestionForm(data, request.FILES, instance=suggestion),
        forms.variants(data),
        forms.number(data.get("revision", "")),
        forms.opened_key(data),
    )


def _take_picture(opened: Opened, data: QueryDict, person: Person) -> None:
    """An uploaded picture, one from the library, or none any more; each brings its own words."""
    suggestion, form = opened.suggestion, opened.form
    old = suggestion.picture
    if upload := form.cleaned_data["picture_file"]:
        try:
            suggestion.picture = uploads.keep_picture(upload, by=person)
        except uploads.PictureRefused as error:
            form.add_error("picture_file", str(error))
    elif data.get("library"):
        suggestion.picture = pictures.chosen(data)
    new = suggestion.picture
    untouched = not old or form.cleaned_data["alt"] == old.alt(suggestion.language).strip()
    if new and new != old and untouched and (words := new.alt(suggestion.language)):
        form.cleaned_data["alt"] = words


def _open(request: HttpRequest, suggestion: Suggestion, person: Person) -> Opened:
    """The stored suggestion; or what the person typed before a login, or had not saved."""
    kept, key = kept_form(request), uuid.uuid4()
    draft = None
    if "draft" in request.GET:
        draft = drafts.find(key=forms.opened_key(request.GET), by=person)
    if kept:
        key = forms.opened_key(kept)
    elif draft and draft.suggestion_id == suggestion.pk:
        kept, key = QueryDict(draft.form), draft.key
    if kept:
        form = SuggestionForm(kept, instance=suggestion)
        form.is_valid()
        revision = forms.number(kept.get("revision", ""))
        return Opened(suggestion, form, forms.variants(kept), revision, key)
    content = contents.stored(suggestion) if suggestion.pk else _blank(suggestion)
    form = forms.opened(content, suggestion)
    return Opened(suggestion, form, contents.variants(content), suggestion.revision, key)


def _blank(suggestion: Suggestion) -> contents.Content:
    first = Variant(name=_("Personal"), language="de")
    return contents.gather(suggestion, [first], sets={}, alt="")


def _again(request: HttpRequest, opened: Opened, person: Person, now: dt.datetime) -> HttpResponse:
    """Show what was typed with what is wrong; keep it meanwhile."""
    stored = opened.suggestion if opened.suggestion.pk else None
    with contextlib.suppress(drafts.TooLarge):
        drafts.keep(key=opened.key, suggestion=stored, form=request.POST, by=person, now=now)
    return page(request, opened, status=422)


def _answer(
    request: HttpRequest, written: Written, seen: int, person: Person, now: dt.datetime
) -> HttpResponse:
    """Say what became of the save, and where to go on."""
    suggestion = written.suggestion
    if written.refused:
        return redirect("merge", pk=suggestion.pk, version=written.refused.pk)
    if written.taken:
        messages.success(request, together(written, seen))
    wants_review = request.POST.get("act") == "hand_in"
    if wants_review and written.taken:
        messages.warning(
            request, _("Not in review yet: please read what came in, then send it once more.")
        )
    elif wants_review:
        try:
            reviews.hand_in(
                suggestion=suggestion, seen_revision=suggestion.revision, by=person, now=now
            )
        except NotAllowed as error:
            messages.error(request, _("Saved, but not in review: %(why)s") % {"why": error})
        except StaleRevision:
            messages.success(request, _("Saved. It is in review already."))
        else:
            messages.success(request, _("Sent to review."))
            return redirect("desk")
    elif not written.taken:
        messages.success(request, _("Saved.") if written.version else _("Nothing new to save."))
    return redirect("suggestion_edit", pk=suggestion.pk)


def together(written: Written, seen: int) -> str:
    """Who saved meanwhile and what of it is in now, with the way to look at it."""
    suggestion = written.suggestion
    between = suggestion.versions.filter(revision__gt=seen).exclude(kind="refused")
    others = between.exclude(pk=written.version.pk if written.version else 0)
    names = sorted({version.by.name for version in others.select_related("by") if version.by})
    return format_html(
        '{} <a href="{}?from={}">{}</a>',
        _("Saved, together with what came from %(who)s meanwhile: %(what)s.")
        % {
            "who": ", ".join(names) or _("colleagues"),
            "what": ", ".join(labels(written.taken, contents.stored(suggestion))),
        },
        reverse("history", args=[suggestion.pk]),
        seen,
        _("See what changed"),
    )


def page(
    request: HttpRequest,
    opened: Opened,
    left: dict[str, str] | None = None,
    *,
    status: int = 200,
    beside: dict[str, object] | None = None,
) -> HttpResponse:
    """Draw the editor.

    ``left``: the typed remarks, those of the request unless told; ``beside``: what was read of the
    link's page just now.
    """
    person, now = cast("Person", request.user), timezone.now()
    suggestion, variants = opened.suggestion, opened.variants
    if request.POST.get("act") == "add" or not variants:
        variants = [*variants, Variant(name=_("Wording"), language=suggestion.language)]
    stored = suggestion if suggestion.pk else None
    written = [variant for variant in variants if variant.text]
    wrong = forms.troubles(variants) if request.method == "POST" else {}
    shown = sides(suggestion, written, opened.form)
    context = {
        "suggestion": suggestion,
        "form": opened.form,
        "wordings": [(variant, wrong.get(i)) for i, variant in enumerate(variants)],
        "wrong": wrong,
        "networks": [n.abilities for n in NETWORKS.values()],
        **shown,
        "matrix": matrix(suggestion, written, shown["rules"]),
        "checks": suggestions.checks(suggestion, written, on=timezone.localdate())
        if suggestion.topic_id
        else [],
        "topics": Topic.objects.offered(suggestion.topic_id),
        "revision": opened.revision,
        "key": opened.key,
        "drafts": [d for d in drafts.offered(suggestion=stored, to=person) if d.key != opened.key]
        if request.method == "GET"
        else [],
        "refused": versions.waiting(suggestion, person) if stored else [],
        "others": presence.here(suggestion_id=suggestion.pk, person=person, now=now)
        if stored
        else [],
        **(
            remarks_shown(suggestion, remarks(request.POST) if left is None else left)
            if stored
            else {}
        ),
        "since": versions.newest_since(suggestion, opened.revision) if stored else None,
        **pictures.choices(request.POST, suggestion),
        "typed": {name: opened.form[name].value() or "" for name in unfurl.FIELDS},
        **(beside or {"preview": previews.known(suggestion.link_url)}),
        "origin": SourceItem.objects.filter(suggestion=stored).select_related("source").first()
        if stored and stored.link_url
        else None,
    }
    return render(request, "editor.html", context, status=status)


def remarks_shown(suggestion: Suggestion, typed: dict[str, str]) -> dict[str, Any]:
    """The remarks with what is typed in their fields and not said yet."""
    return {
        "threads": [(c, typed.get(str(c.pk), "")) for c in comments.threads(suggestion)],
        "new_remark": typed.get("new", ""),
        "longest_comment": comments.LONGEST,
    }


def seen_revision(request: HttpRequest) -> int:
    """The revision that stood in the form, 0 when none is readable."""
    return forms.number(request.POST.get("revision", ""))
