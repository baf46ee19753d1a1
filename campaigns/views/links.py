"""Tracked links and pictures."""

from django.db.models import F
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render

from campaigns.models import Picture, ShortLink

_YEAR = 31_536_000


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


def picture(request: HttpRequest, pk: int) -> FileResponse:
    """Serve a stored picture; its bytes never change."""
    del request
    row = get_object_or_404(Picture, pk=pk)
    try:
        response = FileResponse(row.file.open("rb"), content_type=row.media_type)
    except FileNotFoundError as error:
        raise Http404 from error
    response["Cache-Control"] = f"private, max-age={_YEAR}, immutable"
    response["Content-Security-Policy"] = "sandbox"
    return response
