"""Calendars that programs fetch: their door is HTTP Basic (RFC 7617), so no address holds a secret.

A person's feed is a signed text, ``number.number:signature``. Name and password are what stands
before and behind its colon, and Basic puts the same colon between them: the door reads the text as
it was signed. Where ``SECRET_ADDRESSES`` allows it, an address may have the text in it besides.
"""

import base64
from collections.abc import Callable
from typing import NamedTuple

from django.conf import settings
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from ambassadors.models import Person

from . import guesses


class Subscription(NamedTuple):
    """What a person gives their program."""

    address: str
    name: str
    password: str
    secret: str  # the address with both in it; empty where the company allows none


def of(signed: str, *, page: str) -> Subscription | None:
    """The subscription of a feed's signed text; None without one."""
    if not signed:
        return None
    name, _colon, password = signed.partition(":")
    secret = reverse(f"{page}_secret", args=[signed]) if settings.SECRET_ADDRESSES else ""
    return Subscription(
        address=settings.SITE_URL + reverse(page),
        name=name,
        password=password,
        secret=secret and settings.SITE_URL + secret,
    )


def _basic(request: HttpRequest) -> str:
    """Name, colon and password of the header; empty where there is none that can be read."""
    kind, _space, packed = request.headers.get("Authorization", "").partition(" ")
    if kind.casefold() != "basic":
        return ""
    try:
        return base64.b64decode(packed.strip(), validate=True).decode()
    except ValueError:
        return ""


def answer(
    request: HttpRequest,
    reader: Callable[[str], Person | None],
    written: Callable[[Person], HttpResponse],
    *,
    inside: str = "",
) -> HttpResponse:
    """A calendar for whoever proves whose it is; ``inside`` is the text in a secret address.

    ``reader`` finds the person, None when the feed has ended, and raises BadSignature for what was
    never given to anybody: that alone counts as a guess, for ended ones are asked for every hour.
    """
    if inside and not settings.SECRET_ADDRESSES:
        return _plain(
            410,
            _(
                "This address has its password in it, and such addresses open nothing here. Log in"
                " to Botschaft: beside the calendar stand an address, a name and a password."
            ),
        )
    if guesses.too_many(request):
        refused = _plain(429, _("Too many wrong passwords. Please try again in ten minutes."))
        refused["Retry-After"] = str(guesses.WITHIN)
        return refused
    text = inside or _basic(request)
    try:
        person = reader(text) if text else None
    except BadSignature:
        guesses.wrong(request, door="calendar")
        person = None
    if person is None:
        return _plain(404, _("There is no such calendar.")) if inside else _asking()
    with translation.override(person.language):
        return written(person)


def _asking() -> HttpResponse:
    refused = _plain(
        401, _("Name and password stand beside the calendar in Botschaft, while it is yours.")
    )
    refused["WWW-Authenticate"] = 'Basic realm="Botschaft", charset="UTF-8"'
    return refused


def _plain(status: int, sentence: str) -> HttpResponse:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return HttpResponse(
        f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8", headers=headers
    )
