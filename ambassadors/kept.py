"""What a form brings back: its key, a row's number, and what was typed when the session had ended.

That is kept over the login and handed back once, to whoever typed it: another person who logs in
there does not get it. Whose a form is tells the mark of the device, which holds no name; where
nobody has logged in, nothing is kept.
"""

import uuid

from django.http import HttpRequest, QueryDict

_KEY, _WHOSE = "kept_forms", "kept_for"
_LARGEST = 11_000_000  # bytes of one form
_DIGITS = 19  # of a bigint


def keep_form(request: HttpRequest, *, whose: str) -> None:
    """Keep a posted form in the session that the login continues, for the person of this mark."""
    if request.method != "POST" or not whose:
        return
    typed = request.POST.copy()
    for name in [name for name in typed if "password" in name or name == "csrfmiddlewaretoken"]:
        del typed[name]
    encoded = typed.urlencode()
    if len(encoded) < _LARGEST:
        request.session[_KEY] = {request.path: encoded}
        request.session[_WHOSE] = whose


def only_for(request: HttpRequest, *, whose: str) -> None:
    """Somebody logs in: forget what somebody else typed."""
    if request.session.pop(_WHOSE, whose) != whose:
        request.session.pop(_KEY, None)


def kept_form(request: HttpRequest) -> QueryDict | None:
    """Take back what was kept for this page, once."""
    kept = request.session.get(_KEY, {})
    encoded = kept.pop(request.path, None)
    if encoded is None:
        return None
    request.session[_KEY] = kept
    return QueryDict(encoded)


def form_key(text: str) -> uuid.UUID:
    """The key that an opened form carries, so that it counts once; a fresh one for nonsense."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.uuid4()


def number(text: str) -> int | None:
    """The number of a row as a page sends it back; None when it is not readable."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < _DIGITS else None
