"""Certificates: mine as a PDF, and the public check of a code."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from ambassadors.models import Person
from people import certificates, completions
from people.models import Completion


def _mine(request: HttpRequest, pk: int) -> Completion:
    """A completion of the person's own that holds. Raises Http404."""
    rows = Completion.objects.valid(timezone.localdate()).select_related("course", "person")
    return get_object_or_404(rows, pk=pk, person=cast("Person", request.user))


@require_safe
def certificate(request: HttpRequest, pk: int) -> HttpResponse:
    """My certificate, to print."""
    content = certificates.render(_mine(request, pk), made_on=timezone.localdate())
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="botschaft-{pk}.pdf"'
    response["Content-Security-Policy"] = "sandbox"
    return response


@require_POST
def certificate_name(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the check of my code say my name, or not any more."""
    row = _mine(request, pk)
    shows = request.POST.get("shows") == "yes"
    completions.show_name(completion=row, by=row.person, shows=shows)
    return redirect("course", pk=row.course_id)


@require_safe
def certificate_check(request: HttpRequest, code: str) -> HttpResponse:
    """Valid or not, for whoever has the code; a name only where its owner lets it stand here."""
    rows = Completion.objects.valid(timezone.localdate()).filter(code=code)
    row = rows.select_related("person").first()
    context = {
        "holds": row is not None,
        "name": row.person.name if row and row.shows_name else "",
    }
    response = render(request, "certificate_check.html", context)
    response["X-Robots-Tag"] = "noindex"
    response["Cache-Control"] = "no-store"
    return response
