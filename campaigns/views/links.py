"""Tracked links and pictures."""

import io
from typing import cast

import segno
from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import iri_to_uri
from django.views.decorators.http import require_safe

from ambassadors.models import Person
from campaigns import clicks, links, pictures, renditions
from campaigns.links import Answer
from campaigns.machines import is_machine
from campaigns.models import Picture, Post, ShortLink
from campaigns.outgoings import short_url

_DRAWN = {"svg": "image/svg+xml", "png": "image/png"}


def lead(request: HttpRequest, code: str) -> HttpResponse | None:
    """Lead on to the link's target and count a person's visit; None where there is no way on.

    No session, no cookie, no language: one SELECT, and one step in Redis.
    """
    now = timezone.now()
    found = links.find(code, now=now)
    if found is None or found.answer is not Answer.LEADS:
        return None
    if not is_machine(request) and not _declines(request):
        clicks.count(request, found.pk, now=now)
    headers = {
        "Location": iri_to_uri(found.target),
        "Content-Length": "0",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
    }
    return HttpResponse(status=302, headers=headers)


def _declines(request: HttpRequest) -> bool:
    """Who asks not to be counted (DNT, Global Privacy Control), and colleagues who are logged in.

    Whether the session is a good one does not matter; nothing looks at it.
    """
    asks = (request.META.get(name) for name in ("HTTP_DNT", "HTTP_SEC_GPC"))
    return "1" in asks or settings.SESSION_COOKIE_NAME in request.COOKIES


@require_safe
def short_link(request: HttpRequest, code: str) -> HttpResponse:
    """Say why a link leads nowhere; those that lead on :class:`LinkMiddleware` has answered."""
    found = links.find(code, now=timezone.now())
    status = 410 if found else 404
    company = settings.COMPANY_URL or settings.CAREERS_URL or reverse("ask")
    response = render(
        request, "link_gone.html", {"found": found, "company": company}, status=status
    )
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


@require_safe
def link_code(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Draw the link of the person's own post as a QR code, for slides and paper."""
    post = get_object_or_404(
        Post.objects.of(cast("Person", request.user)).select_related("link"),
        pk=pk,
        link__isnull=False,
    )
    link = cast("ShortLink", post.link)
    drawn = io.BytesIO()
    # error correction M: still read with a seventh of it torn or covered
    segno.make(short_url(link.code), error="m", micro=False).save(
        drawn, kind=kind, scale=16 if kind == "png" else 8, border=4, light="#fff"
    )
    response = HttpResponse(drawn.getvalue(), content_type=_DRAWN[kind])
    response["Content-Security-Policy"] = "sandbox"
    if "save" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="link-{link.code}.{kind}"'
    return response


def picture(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Serve a stored picture; its bytes never change.

    Of a barred one only curators see more than a hatched field; one that came with an idea is its
    author's and theirs until it is used.
    """
    row = get_object_or_404(Picture, pk=pk)
    person = cast("Person", request.user)
    if not person.has_role("curator"):
        if pictures.is_others_idea(row, person):
            raise Http404
        if pictures.barred([row], on=timezone.now().date()):
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
