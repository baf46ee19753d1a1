"""SCIM 2.0 for identity providers: one door, a bearer key, every answer ``application/scim+json``.

Errors are those of RFC 7644 §3.12; their details are English, because providers log them.
"""

import json
import logging
from typing import Any, cast

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from pydantic import ValidationError
from scim2_models import (
    Context,
    Error,
    InvalidSyntaxException,
    InvalidValueException,
    ListResponse,
    NotFoundException,
    NotImplementedException,
    PatchOp,
    PayloadTooLargeException,
    ResponseParameters,
    SCIMException,
    SearchRequest,
)

from ambassadors import counts, security_log
from ambassadors.security_log import Event
from people import scim_filters, scim_groups, scim_tokens, scim_users
from people.models import ScimGroup, ScimToken
from people.scim_schema import CONFIG, MOST_BYTES, MOST_RESULTS, PROVIDER, FullUser, Group

log = logging.getLogger(__name__)
_TYPE = "application/scim+json"
_A_MINUTE = 3_000  # requests of one key; the largest providers stay below 25 a second
_PAGE = 100
_DEEPEST = 40


@csrf_exempt
def scim(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Check the key, then hand the request to what it asks for."""
    token = _token(request)
    if token is None:
        security_log.tell(Event.KEY_REFUSED, door="scim")
        answer = _error(401, "A valid key is needed in the header Authorization.")
        answer["WWW-Authenticate"] = 'Bearer realm="scim", error="invalid_token"'
        return answer
    if not _may_go_on(token):
        answer = _error(429, "Too many requests; go on in a minute.")
        answer["Retry-After"] = "60"
        return answer
    try:
        with PROVIDER:
            return _dispatch(request, [part for part in rest.split("/") if part], token)
    except ValidationError as error:
        return _answer(Error.from_validation_errors(error)[0].model_dump(), 400)
    except SCIMException as error:
        return _answer(error.to_error().model_dump(), error.status)
    except DatabaseError:
        log.exception("scim")
        return _error(500, "Something broke here. Nothing was changed; try again later.")


def _token(request: HttpRequest) -> ScimToken | None:
    kind, _space, key = request.headers.get("Authorization", "").partition(" ")
    if kind.casefold() != "bearer" or not key.strip():
        return None
    return scim_tokens.find(key.strip(), now=timezone.now())


def _may_go_on(token: ScimToken) -> bool:
    """Count the request; without Redis everybody goes on."""
    name = f"scim-{token.pk}-{timezone.now():%H%M}"
    try:
        return counts.counted(name, 120) <= _A_MINUTE
    except Exception:  # noqa: BLE001 - whatever the cache throws
        return True


def _answer(body: dict[str, Any] | None, status: int = 200, **headers: str) -> HttpResponse:
    content = b"" if body is None else json.dumps(body).encode()
    answer = HttpResponse(content, status=status, content_type=_TYPE)
    answer["Cache-Control"] = "no-store"
    for name, value in headers.items():
        answer[name] = value
    return answer


def _error(status: int, detail: str) -> HttpResponse:
    return _answer(Error(status=status, detail=detail).model_dump(), status)


def _dispatch(request: HttpRequest, parts: list[str], token: ScimToken) -> HttpResponse:
    if any("\x00" in text for text in (*parts, *request.GET, *request.GET.values())):
        raise InvalidValueException(detail="A zero byte is no part of any value.")
    match [part.casefold() for part in parts]:
        case ["serviceproviderconfig" | "schemas" | "resourcetypes", *_id]:
            return _discovery(request, parts)
        case ["users"]:
            return _collection(request, Users(token))
        case ["groups"]:
            return _collection(request, Groups(token))
        case ["users", ".search"]:
            return _search(request, Users(token))
        case ["groups", ".search"]:
            return _search(request, Groups(token))
        case ["users", key]:
            return _one(request, Users(token), key)
        case ["groups", key]:
            return _one(request, Groups(token), key)
        case ["bulk" | "me" | ".search"]:
            raise NotImplementedException(
                detail="This service knows neither Bulk nor Me, and searches one type at a time."
            )
    raise NotFoundException(detail="There is nothing at this address.")


def _not_allowed(*methods: str) -> HttpResponse:
    answer = _error(405, f"Only {', '.join(methods)} here.")
    answer["Allow"] = ", ".join(methods)
    return answer


def _body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object of a request, checked before anything looks at it."""
    length = request.headers.get("Content-Length", "0")
    if length.isdecimal() and (len(length) > 12 or int(length) > MOST_BYTES):
        raise PayloadTooLargeException(detail=f"At most {MOST_BYTES:,} bytes fit.")
    content = request.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise PayloadTooLargeException(detail=f"At most {MOST_BYTES:,} bytes fit.")
    try:
        found = json.loads(content.decode("utf-8-sig"))
        _check(found, 0)
    except (ValueError, RecursionError) as error:
        raise InvalidSyntaxException(detail="The body is no JSON object we can read.") from error
    if not isinstance(found, dict):
        raise InvalidSyntaxException(detail="The body is no JSON object.")
    return found


def _check(value: Any, depth: int) -> None:
    """Refuse what PostgreSQL cannot keep: zero bytes, lone surrogates, boundless nesting."""
    if depth > _DEEPEST:
        raise InvalidSyntaxException(detail="The body is nested too deeply.")
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
            raise InvalidValueException(detail="A text holds a zero byte or half a character.")
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check(name, depth + 1)
            _check(item, depth + 1)


class Users:
    """What the door needs to know of people."""

    # Made once: building a parameterised model costs more than a request.
    search: Any = SearchRequest[FullUser]
    listed: Any = ListResponse[FullUser]
    wanted: Any = ResponseParameters[FullUser]
    patched: Any = PatchOp[FullUser]

    def __init__(self, token: ScimToken) -> None:
        self.token = token

    def find(self, key: str) -> Any:
        """One by its id."""
        return scim_users.get(key)

    def page(self, asked: Any, first: int, count: int) -> tuple[int, list[Any]]:
        """How many match, and a page of them as resources."""
        rows = scim_users.known()
        if asked.filter:
            rows = rows.filter(scim_filters.Question(scim_filters.USERS).visit(asked.filter.ast))
        return rows.order_by().count(), [scim_users.shown(p) for p in rows[first : first + count]]

    def shown(self, row: Any, asked: Any) -> Any:
        """One as a resource."""
        del asked
        return scim_users.shown(row)

    def create(self, payload: dict[str, Any]) -> Any:
        """Make one."""
        user = FullUser.model_validate(
            scim_users.prepared(payload), scim_ctx=Context.RESOURCE_CREATION_REQUEST
        )
        return scim_users.create(user, token=self.token, now=timezone.now())

    def replace(self, row: Any, payload: dict[str, Any]) -> Any:
        """Store a whole one."""
        user = FullUser.model_validate(
            scim_users.prepared(payload), scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST
        )
        user.replace(scim_users.shown(row))
        return scim_users.replace(row, user, token=self.token, now=timezone.now())

    def patch(self, row: Any, payload: dict[str, Any]) -> Any:
        """Change a part."""
        scim_users.refuse_rights(payload)
        body = self.patched.model_validate(payload, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
        return scim_users.patch(row, body, token=self.token, now=timezone.now())

    def delete(self, row: Any) -> None:
        """Forget one."""
        scim_users.delete(row, now=timezone.now())


class Groups:
    """What the door needs to know of groups."""

    search: Any = SearchRequest[Group]
    listed: Any = ListResponse[Group]
    wanted: Any = ResponseParameters[Group]
    patched: Any = PatchOp[Group]

    def __init__(self, token: ScimToken) -> None:
        self.token = token

    def find(self, key: str) -> Any:
        """One by its id."""
        return scim_groups.get(key)

    def page(self, asked: Any, first: int, count: int) -> tuple[int, list[Any]]:
        """How many match, and a page of them as resources."""
        rows = ScimGroup.objects.all()
        if asked.filter:
            rows = rows.filter(scim_filters.Question(scim_filters.GROUPS).visit(asked.filter.ast))
        return rows.count(), [self.shown(row, asked) for row in rows[first : first + count]]

    def shown(self, row: Any, asked: Any) -> Any:
        """One as a resource; members only where somebody wants them."""
        excluded = [str(path).casefold() for path in (asked and asked.excluded_attributes) or []]
        wanted = [str(path).casefold() for path in (asked and asked.attributes) or []]
        members = "members" not in excluded and (
            not wanted or any(path.startswith("members") for path in wanted)
        )
        return scim_groups.shown(row, members=members)

    def create(self, payload: dict[str, Any]) -> Any:
        """Make one."""
        group = Group.model_validate(payload, scim_ctx=Context.RESOURCE_CREATION_REQUEST)
        return scim_groups.create(group, token=self.token, now=timezone.now())

    def replace(self, row: Any, payload: dict[str, Any]) -> Any:
        """Store a whole one."""
        group = Group.model_validate(payload, scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST)
        return scim_groups.replace(row, group, token=self.token, now=timezone.now())

    def patch(self, row: Any, payload: dict[str, Any]) -> Any:
        """Change a part."""
        body = self.patched.model_validate(payload, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
        return scim_groups.patch(row, body, token=self.token, now=timezone.now())

    def delete(self, row: Any) -> None:
        """Forget one."""
        scim_groups.delete(row, now=timezone.now())


Kind = Users | Groups


def _collection(request: HttpRequest, kind: Kind) -> HttpResponse:
    if request.method == "GET":
        return _listed(kind, dict(request.GET.items()))
    if request.method == "POST":
        row = kind.create(_body(request))
        shown = kind.shown(row, None)
        body = shown.model_dump(scim_ctx=Context.RESOURCE_CREATION_RESPONSE)
        return _answer(body, 201, Location=shown.meta.location)
    return _not_allowed("GET", "POST")


def _search(request: HttpRequest, kind: Kind) -> HttpResponse:
    if request.method != "POST":
        return _not_allowed("POST")
    return _listed(kind, _body(request))


def _listed(kind: Kind, asked: dict[str, Any]) -> HttpResponse:
    search = kind.search.model_validate(asked)
    count = min(_PAGE if search.count is None else search.count, MOST_RESULTS)
    first = min(search.start_index_0 or 0, 10**12)
    total, page = kind.page(search, first, count)
    listed = kind.listed(
        total_results=total, start_index=first + 1, items_per_page=len(page), resources=page
    )
    return _answer(
        listed.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=search)
    )


def _one(request: HttpRequest, kind: Kind, key: str) -> HttpResponse:
    if request.method not in {"GET", "PUT", "PATCH", "DELETE"}:
        return _not_allowed("GET", "PUT", "PATCH", "DELETE")
    row = kind.find(key)
    if request.method == "DELETE":
        kind.delete(row)
        return _answer(None, 204)
    wanted = {n: v for n, v in request.GET.items() if n in {"attributes", "excludedAttributes"}}
    asked = kind.wanted.model_validate(wanted)
    context = Context.RESOURCE_QUERY_RESPONSE
    if request.method == "PUT":
        row, context = kind.replace(row, _body(request)), Context.RESOURCE_REPLACEMENT_RESPONSE
    elif request.method == "PATCH":
        row, context = kind.patch(row, _body(request)), Context.RESOURCE_PATCH_RESPONSE
    shown = kind.shown(row, asked)
    return _answer(shown.model_dump(scim_ctx=context, response_parameters=asked))


def _discovery(request: HttpRequest, parts: list[str]) -> HttpResponse:
    if request.method != "GET":
        return _not_allowed("GET")
    name, key = parts[0].casefold(), "/".join(parts[1:])
    if "filter" in request.GET:  # RFC 7644 §4
        return _error(403, "Filters are not for what the service says of itself.")
    if name == "serviceproviderconfig":
        return _answer(CONFIG.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE))
    rows = PROVIDER.schemas if name == "schemas" else PROVIDER.resource_types
    shown = {
        str(row.id).casefold(): cast("Any", row).model_dump(
            scim_ctx=Context.RESOURCE_QUERY_RESPONSE
        )
        for row in rows
    }
    if key:
        if key.casefold() not in shown:
            raise NotFoundException(detail="There is nothing at this address.")
        return _answer(shown[key.casefold()])
    return _answer(
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": len(shown), "startIndex": 1, "itemsPerPage": len(shown),
            "Resources": list(shown.values()),
        }
    )  # fmt: skip
