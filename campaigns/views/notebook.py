"""The private notebook, and what a device kept for it while there was no network."""

from typing import cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors import notes
from ambassadors.kept import form_key, number
from ambassadors.models import Note, Person
from campaigns import own_drafts
from campaigns.models import Programme

_LONGEST = 2000


def notebook(request: HttpRequest) -> HttpResponse:
    """Show the person's notes; keep or drop one."""
    person, now = cast("Person", request.user), timezone.now()
    text, error = "", ""
    if request.method == "POST":
        if drop := request.POST.get("drop", ""):
            Note.objects.filter(person=person, pk=number(drop) or 0).delete()
            return redirect("notebook")
        text = request.POST.get("text", "").replace("\x00", "")
        if not text.strip():
            error = _("There is no text yet.")
        elif len(text) > _LONGEST:
            error = _("A note holds 2,000 characters; this one has %(count)s.") % {
                "count": len(text)
            }
        else:
            notes.keep(by=person, text=text, key=None, now=now)
            return redirect("notebook")
    context = {
        "notes": own_drafts.notes_of(person, limit=100, now=now),
        "programme": Programme.the(),
        "now": now,
        "text": text,
        "error": error,
    }
    return render(request, "notebook.html", context, status=422 if error else 200)


@require_POST
def arrive(request: HttpRequest) -> HttpResponse:
    """Take what a device kept: 200 with a sentence when it lies in the notebook, 422 when not.

    Nothing but the notebook changes. What the device says about the time is not asked for.
    """
    person, now = cast("Person", request.user), timezone.now()
    try:
        note = own_drafts.take_in(
            by=person,
            text=request.POST.get("text", "").replace("\x00", ""),
            suggestion_pk=number(request.POST.get("suggestion", "")) or None,
            key=form_key(request.POST.get("key", "")),
            now=now,
        )
    except own_drafts.NotTakenIn as refused:
        return JsonResponse({"said": refused.sentence}, status=422)
    return JsonResponse({"said": own_drafts.said(note, now=now)})
