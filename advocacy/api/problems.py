"""What went wrong, for programs: RFC 9457, one shape for every error under ``/api/``."""

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

from ambassadors import security_log
from ambassadors.security_log import Event

TYPE = "application/problem+json"
ROOT = "/api/"
# What a problem is called, and what its title says. The names are part of the API.
TITLES = {
    "request": "The request cannot be read",
    "fields": "The body does not fit",
    "query": "The address asks for something unknown",
    "token": "A valid token is needed",
    "scope": "The token does not open this",
    "not-found": "There is nothing here for you",
    "method": "This is not done here",
    "accept": "We answer in application/json only",
    "at-work": "The first request with this key is still at work",
    "state": "This cannot be done as things stand",
    "changed": "It was changed since you read it",
    "too-large": "The body is too large",
    "media-type": "The body must be application/json in UTF-8",
    "refused": "This cannot be taken",
    "other-request": "The Idempotency-Key was used for another request",
    "if-match": "Say in If-Match which state you have seen",
    "too-many": "Too many requests",
    "broken": "Something broke here",
}
_BY_STATUS = {
    400: "request", 401: "token", 403: "scope", 404: "not-found", 405: "method", 406: "accept",
    413: "too-large", 415: "media-type", 429: "too-many", 500: "broken",
}  # fmt: skip
Wrong = list[dict[str, str]]


class Problem(exceptions.APIException):
    """An answer that is an error. ``wrong``: sentences beside fields of the body."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str = "",
        *,
        wrong: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or TITLES[kind])
        self.status_code = status
        self.kind = kind
        self.wrong = [{"field": field, "detail": sentence} for field, sentence in wrong]
        self.headers = dict(headers or {})


def body(status: int, kind: str, detail: str = "", wrong: Wrong | None = None) -> dict[str, Any]:
    """A problem as it is sent."""
    said = {
        "type": f"urn:botschaft:problem:{kind}",
        "title": TITLES[kind],
        "status": status,
        "detail": detail or TITLES[kind],
    }
    return said | ({"errors": wrong} if wrong else {})


def answer(request: HttpRequest, status: int) -> HttpResponse | None:
    """The answer to what fails before or beside a view; None for pages that people read."""
    if not request.path.startswith(ROOT):
        return None
    content = json.dumps(body(status, _BY_STATUS[status]))
    made = HttpResponse(content, status=status, content_type=TYPE)
    made["Cache-Control"] = "no-store"
    return made


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn what a view raised into a problem; None lets our own mistakes go on to be a 500."""
    headers: dict[str, str] = {}
    wrong: Wrong = []
    match error:
        case Problem():
            status, kind, detail = error.status_code, error.kind, str(error.detail)
            wrong, headers = error.wrong, error.headers
        case exceptions.ValidationError():
            status, kind, detail = HTTPStatus.BAD_REQUEST, "fields", ""
            wrong = [{"field": f, "detail": s} for f, s in _flat(error.detail)]
        case Http404() | exceptions.NotFound():
            status, kind, detail = HTTPStatus.NOT_FOUND, "not-found", ""
        case PermissionDenied():
            status, kind, detail = HTTPStatus.FORBIDDEN, "scope", ""
        case exceptions.APIException():
            status, kind = error.status_code, _BY_STATUS[error.status_code]
            detail = "" if kind == "token" else str(error.detail)
            if kind == "token":
                headers["WWW-Authenticate"] = 'Bearer realm="botschaft", error="invalid_token"'
        case _:
            return None
    if kind == "token":
        security_log.tell(Event.KEY_REFUSED, door="api")
    elif kind == "scope":
        match_ = context["request"].resolver_match
        security_log.tell(Event.PAGE_REFUSED, page=match_ and match_.url_name)
    said = body(int(status), kind, detail, wrong)
    return Response(said, status=int(status), headers=headers, content_type=TYPE)


def _flat(found: Any, at: str = "") -> Iterable[tuple[str, str]]:
    """Sentences of nested fields, each with its path (``wordings/0/text``)."""
    if isinstance(found, dict):
        for name, inner in found.items():
            place = "" if name == "non_field_errors" else str(name)
            yield from _flat(inner, "/".join(filter(None, (at, place))))
    elif isinstance(found, list):
        for inner in found:
            yield from _flat(inner, at)
    else:
        yield at, str(found)
