"""What a form brings back: its key, a row's number, and what was typed when the session had ended.

That is kept over the login and handed back once.
"""

import uuid

from django.http import HttpRequest, QueryDict

_KEY = "kept_forms"
_LARGEST = 11_000_000  # bytes of one form
_DIGITS = 19  # of a bigint


def keep_form(request: HttpRequest) -> None:
    """Keep a posted form in the session that the login continues."""
    if request.method != "POST":
        return
    typed = request.POST.copy()
    for name in [name for name in typed if "password" in name or name == "csrfmiddlewaretoken"]:
        del typed[name]
    encoded = typed.urlencode()
    if len(encoded) < _LARGEST:
        request.session[_KEY] = {request.path: encoded}


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
