"""The private notebook."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors import notes
from ambassadors.models import Note, Person

_LONGEST = 2000


def notebook(request: HttpRequest) -> HttpResponse:
    """Show the person's notes; keep or drop one."""
    person = cast("Person", request.user)
    text, error = "", ""
    if request.method == "POST":
        if drop := request.POST.get("drop", ""):
            if drop.isdecimal() and len(drop) < 19:
                Note.objects.filter(person=person, pk=int(drop)).delete()
            return redirect("notebook")
        text = request.POST.get("text", "").replace("\x00", "")
        if not text.strip():
            error = _("There is no text yet.")
        elif len(text) > _LONGEST:
            error = _("A note holds 2,000 characters; this one has %(count)s.") % {
                "count": len(text)
            }
        else:
            notes.keep(by=person, text=text, now=timezone.now())
            return redirect("notebook")
    return render(
        request,
        "notebook.html",
        {"notes": Note.objects.filter(person=person)[:100], "text": text, "error": error},
        status=422 if error else 200,
    )
