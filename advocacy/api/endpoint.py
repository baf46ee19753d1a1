"""What all addresses of the API share: token, rate, scope, query, body, preconditions, once only.

A method of an :class:`Endpoint` is declared with :func:`operation` or :func:`listing`; the same
declaration checks the request and writes the schema.
"""

import contextlib
import functools
import hashlib
import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from django.db import transaction
from django.utils import timezone, translation
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ambassadors.models import Person
from integrations import api_answers, api_tokens
from integrations.api_answers import AtWork, OtherRequest, Said
from integrations.models import ApiToken

from . import asking, bearer, problems
from .asking import Filter
from .problems import Problem
from .reading import StrictJSON

_KEY = re.compile(r"[\x21-\x7e]{1,64}")
_SEEN = re.compile(r'"[\x21\x23-\x7e]{1,64}"')
Method = Callable[..., Any]


class Wrong(serializers.Serializer[Any]):
    """What is wrong with one field."""

    field = serializers.CharField(help_text="The path of the field, as wordings/0/text.")  # type: ignore[assignment]
    detail = serializers.CharField()


class ProblemBody(serializers.Serializer[Any]):
    """An error, as RFC 9457 has it."""

    type = serializers.CharField(help_text="urn:botschaft:problem: and a word that stays.")
    title = serializers.CharField()
    status = serializers.IntegerField(min_value=400, max_value=599)
    detail = serializers.CharField()
    errors = Wrong(many=True, required=False)  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Operation:
    """What a method takes, answers and needs. An empty ``scope``: every token will do.

    ``tagged``: the answer has an ETag; ``guarded``: If-Match is needed; ``finds``: it may be 404;
    ``once``: it is written in one transaction with its answer.
    """

    scope: str
    answers: type[serializers.Serializer[Any]]
    takes: type[serializers.Serializer[Any]] | None = None
    status: int = 200
    tagged: bool = False
    guarded: bool = False
    finds: bool = False
    once: bool = True
    writes: bool = False
    filters: Mapping[str, Filter] = field(default_factory=dict)


class Endpoint(APIView):
    """One address. Only tokens open it; instants are told in UTC; errors are problems."""

    authentication_classes = (bearer.Bearer,)
    permission_classes = ()
    parser_classes = (StrictJSON,)
    renderer_classes = (JSONRenderer,)
    throttle_classes = ()
    http_method_names = ("get", "head", "post", "put", "patch", "delete")  # type: ignore[assignment]
    schema = AutoSchema()
    rate: bearer.Rate | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the token and count the request, in English unless the client asks otherwise."""
        if "Accept-Language" not in request.headers:
            translation.activate("en")
        timezone.activate("UTC")
        super().initial(request, *args, **kwargs)
        self.rate = bearer.count(self.token(request))
        if self.rate and self.rate.left < 0:
            headers = {"Retry-After": str(self.rate.ends)}
            raise Problem(429, "too-many", headers=headers)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Say how many requests are left; nobody keeps an answer."""
        for name, value in (self.rate.headers if self.rate else {}).items():
            response[name] = value
        response["Cache-Control"] = "no-store"
        return super().finalize_response(request, response, *args, **kwargs)

    def get_exception_handler(self) -> Any:
        """Errors are problems."""
        return problems.handler

    @staticmethod
    def token(request: Request) -> ApiToken:
        """The token that opened the door."""
        return cast("ApiToken", request.auth)

    def person(self, request: Request) -> Person:
        """For whom the token acts, or who answers for it."""
        return self.token(request).person

    def mine(self, request: Request) -> bool:
        """Tell whether the token is one person's own: then their audience counts."""
        return self.token(request).kind == ApiToken.Kind.PERSONAL


def operation(
    name: str,
    scope: str,
    answers: type[serializers.Serializer[Any]],
    *,
    tag: str,
    **more: Any,
) -> Callable[[Method], Method]:
    """Declare one method. It is called with ``taken`` (a body) and ``seen`` (an ETag) if declared.

    The method returns what ``answers`` shows, or that with headers.
    """
    about = Operation(scope, answers, **more)

    def declare(method: Method) -> Method:
        @functools.wraps(method)
        def run(self: Endpoint, request: Request, **at: Any) -> Response:
            _admit(self.token(request), about.scope)
            asking.read(request, about.filters)
            if about.guarded:
                at["seen"] = _seen(request)
            if about.takes:
                at["taken"] = _taken(request, about)
            if not about.writes:
                return _said(about, method(self, request, **at))
            return _once(self, request, about, functools.partial(method, self, request, **at))

        return cast("Method", _schema(name, about, tag, method)(run))

    return declare


def listing(
    name: str,
    scope: str,
    answers: type[serializers.Serializer[Any]],
    *,
    tag: str,
    order: tuple[str, ...],
    **filters: Filter,
) -> Callable[[Method], Method]:
    """Declare a list. The method is called with the values of the filters and returns the rows."""
    page = inline_serializer(
        f"{answers.__name__}Page",
        {
            "items": answers(many=True),
            "next": serializers.CharField(
                allow_null=True, help_text="The cursor of the next page; null on the last one."
            ),
        },
    )
    about = Operation(scope, type(page), filters={**filters, **asking.PAGING})

    def declare(method: Method) -> Method:
        @functools.wraps(method)
        def run(self: Endpoint, request: Request, **at: Any) -> Response:
            _admit(self.token(request), scope)
            asked = asking.read(request, about.filters)
            given = {word: value for word, value in asked.items() if word in filters}
            rows = method(self, request, **at, **given)
            found, after = asking.page(rows, order=order, asked=asked, place=name)
            context = {"request": request}
            shown = answers(found, many=True, context=context).data
            return Response({"items": shown, "next": after})

        return cast("Method", _schema(name, about, tag, method)(run))

    return declare


def _admit(token: ApiToken, scope: str) -> None:
    if scope and not api_tokens.allows(token, scope):
        raise Problem(403, "scope", f"It needs the scope {scope}, and its person the right to it.")


def _seen(request: Request) -> str:
    """The state that the client has read, from the header If-Match."""
    text = request.headers.get("If-Match")
    if text is None:
        raise Problem(428, "if-match")
    if not _SEEN.fullmatch(text):
        raise Problem(400, "request", "If-Match must hold one ETag of ours, in quotes.")
    return text


def _taken(request: Request, about: Operation) -> dict[str, Any]:
    takes = cast("type[serializers.Serializer[Any]]", about.takes)
    body = takes(data=dict(request.data))
    body.is_valid(raise_exception=True)
    return cast("dict[str, Any]", body.validated_data)


def _said(about: Operation, found: Any) -> Response:
    """The answer of a method: what it returns, and the headers beside it."""
    row, headers = found if isinstance(found, tuple) else (found, {})
    return Response(about.answers(row).data, status=about.status, headers=headers)


def _once(self: Endpoint, request: Request, about: Operation, write: Callable[[], Any]) -> Response:
    """Do a write. Under an Idempotency-Key it happens once, and its answer comes again."""
    key = request.headers.get("Idempotency-Key")
    inside = transaction.atomic if about.once else contextlib.nullcontext
    if key is None:
        with inside():
            return _said(about, write())
    if not _KEY.fullmatch(key):
        raise Problem(400, "request", "An Idempotency-Key has 1 to 64 signs of ASCII.")
    token = self.token(request)
    try:
        said = api_answers.begin(token=token, key=key, digest=_digest(request), now=timezone.now())
    except OtherRequest as error:
        raise Problem(422, "other-request") from error
    except AtWork as error:
        raise Problem(409, "at-work", headers={"Retry-After": "2"}) from error
    if said:
        again = {**said.headers, "Idempotent-Replayed": "true"}
        return Response(said.body, status=said.status, headers=again)
    try:
        with inside():
            made = _said(about, write())
            plain = json.loads(JSONRenderer().render(made.data))
            headers = {n: made[n] for n in ("ETag", "Location") if made.has_header(n)}
            api_answers.keep(token=token, key=key, said=Said(made.status_code, plain, headers))
    except BaseException:
        api_answers.let_go(token=token, key=key)
        raise
    return made


def _digest(request: Request) -> str:
    """One request, told from another: method, address, what it says, what it saw."""
    seen = request.headers.get("If-Match", "")
    about = f"{request.method} {request.path} {seen}\n".encode()
    return hashlib.sha256(about + getattr(request, "sent", b"")).hexdigest()


def _schema(name: str, about: Operation, tag: str, method: Method) -> Any:
    """The declaration, as drf-spectacular reads it."""
    first, _gap, more = (method.__doc__ or "").strip().partition("\n")
    statuses = {400, 401, 403, 406, 429}
    if about.finds or "cursor" in about.filters:
        statuses.add(404)
    if about.writes:
        statuses |= {409, 422}
    if about.takes:
        statuses |= {413, 415}
    if about.guarded:
        statuses |= {412, 428}
    responses: dict[Any, Any] = {
        about.status: OpenApiResponse(about.answers, description="Done."),
        **{
            (status, problems.TYPE): OpenApiResponse(ProblemBody, description=_TOLD[status])
            for status in sorted(statuses)
        },
        # what is longer than a web server reads never reaches us: it answers in its own words
        414: OpenApiResponse(None, description="The address is too long."),
    }
    return extend_schema(
        operation_id=name,
        summary=first.rstrip("."),
        description=inspect.cleandoc(more) or first,
        tags=[tag],
        request=about.takes,
        parameters=[*_asked(about), *_headers(about)],
        responses=responses,
        extensions={"x-scope": about.scope},
    )


def _asked(about: Operation) -> list[OpenApiParameter]:
    return [
        OpenApiParameter(
            word, cast("Any", one.schema), OpenApiParameter.QUERY, description=one.says
        )
        for word, one in about.filters.items()
    ]


def _headers(about: Operation) -> list[OpenApiParameter]:
    at: Literal["header"] = "header"
    found = []
    if about.writes:
        schema = {"type": "string", "pattern": "^[!-~]{1,64}$"}
        says = "A key of yours: sent again within a day, it is answered again and not done again."
        found.append(OpenApiParameter("Idempotency-Key", cast("Any", schema), at, description=says))
    if about.guarded:
        schema = {"type": "string", "pattern": '^"[!#-~]{1,64}"$'}
        says = "The ETag of what you read."
        found.append(
            OpenApiParameter("If-Match", cast("Any", schema), at, required=True, description=says)
        )
    if about.tagged:
        found.append(
            OpenApiParameter("ETag", str, at, response=[about.status], description="For If-Match.")
        )
    return found


_TOLD = {
    400: "It cannot be read, or holds what nobody declared.",
    401: "No token, or none that is good.",
    403: "The token lacks the scope, or its person the right to it.",
    404: "There is nothing here for you.",
    406: "We answer in JSON only.",
    409: "It cannot be done as things stand.",
    412: "It was changed since you read it.",
    413: "The body is too large.",
    415: "The body must be JSON in UTF-8.",
    422: "It has the right form, and cannot be taken.",
    428: "If-Match is missing.",
    429: "Too many requests; Retry-After says when to go on.",
}
