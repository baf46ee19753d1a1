"""Tracked links and pictures."""

from typing import cast

from django.db.models import F
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.utils import timezone
from django.views.decorators.http import require_safe

from ambassadors.models import Person
from campaigns import pictures, renditions
from campaigns.models import Picture, ShortLink


def short_link(request: HttpRequest, code: str) -> HttpResponse:
    """Lead on to the target; counts a visit, keeps nothing about the visitor."""
    link = get_object_or_404(ShortLink, code=code)
    if link.withdrawn_at:
        return render(request, "errors/404.html", status=410)
    if request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", ""):
        ShortLink.objects.filter(pk=link.pk).update(clicks=F("clicks") + 1)
    response = HttpResponseRedirect(link.target)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


def picture(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Serve a stored picture; its bytes never change.

    Of a barred one only curators see more than a hatched field.
    """
    row = get_object_or_404(Picture, pk=pk)
    person = cast("Person", request.user)
    if not person.has_role("curator") and pictures.barred([row], on=timezone.now().date()):
        return redirect(static("img/barred.svg"))
    try:
        response = FileResponse(row.file.open("rb"), content_type=row.media_type)
    except FileNotFoundError as error:
        raise Http404 from error
    response["Cache-Control"] = "private, max-age=3600"
    response["Content-Security-Policy"] = "sandbox"
    return response


@require_safe
def public_picture(request: HttpRequest, signed: str) -> HttpResponse:
    """Give a network the picture it was sent to fetch, for a day; everything else is not here."""
    del request
    try:
        content = renditions.render(signed, on=timezone.now().date())
    except renditions.NoRendition as error:
        raise Http404 from error
    response = HttpResponse(content, content_type="image/jpeg")
    response["Cache-Control"] = "private, max-age=3600"
    response["Content-Security-Policy"] = "sandbox"
    response["X-Robots-Tag"] = "noindex"
    return response
