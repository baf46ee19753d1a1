"""What a form brings back: its key, a row's number, and what was typed when the session had ended.

That is kept over the login and handed back once, to whoever typed it: another person who logs in
there does not get it. Whose a form is tells the mark of the device, which holds no name; where
nobody has logged in, nothing is kept.
"""

import uuid

from django.http import HttpRequest, QueryDict

_KEY, _WHOSE = "kept_forms", "kept_for"
_LARGEST = 1_000_000  # bytes of one form, as it is sent
_DIGITS = 19  # of a bigint


def typed_in(request: HttpRequest) -> QueryDict:
    """What somebody posted, without passwords and the form's token."""
    typed = request.POST.copy()
    for name in [name for name in typed if "password" in name or name == "csrfmiddlewaretoken"]:
        del typed[name]
    return typed


def holds_form(request: HttpRequest) -> bool:
    """Tell whether the session keeps one already, which the next one replaces."""
    return bool(request.session.get(_KEY))


def keep_form(request: HttpRequest, *, whose: str) -> bool:
    """Keep a posted form in the session that the login continues, for the person of this mark.

    Returns whether it was kept: it is not when it is too large.
    """
    encoded = typed_in(request).urlencode()
    if len(encoded) > _LARGEST:
        return False
    request.session[_KEY] = {request.path: encoded}
    request.session[_WHOSE] = whose
    return True


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
