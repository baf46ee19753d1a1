"""What the API says of itself: OpenAPI 3.1, made of the declarations, and a page to read it."""

import functools
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from integrations import api_tokens

from .fields import Body


@functools.cache
def document() -> dict[str, Any]:
    """The whole description; made once in a process, because it stands in the code."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


def exact(result: dict[str, Any], **_about: Any) -> dict[str, Any]:
    """Bodies that we take hold nothing undeclared; answers may grow within a version."""
    taken = {cls.__name__ for cls in _below(Body)}
    for name, schema in result["components"]["schemas"].items():
        if name in taken:
            schema["additionalProperties"] = False
    _without_marks(result)
    return result


def _without_marks(value: Any) -> None:
    """Take away what the generator notes for itself."""
    if isinstance(value, dict):
        value.pop("x-spec-enum-id", None)
        for inner in value.values():
            _without_marks(inner)
    elif isinstance(value, list):
        for inner in value:
            _without_marks(inner)


def _below(cls: type) -> set[type]:
    below: set[type] = set(cls.__subclasses__())
    return below.union(*(_below(one) for one in below))


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """The description for programs. It names addresses and fields, nobody and nothing else."""
    del request
    return JsonResponse(document(), json_dumps_params={"ensure_ascii": False})


def docs(request: HttpRequest) -> HttpResponse:
    """The description for people: operations by noun, made of the same document."""
    schema = document()
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, item in schema["paths"].items():
        for method, about in item.items():
            groups.setdefault(about["tags"][0], []).append(
                {
                    "id": about["operationId"],
                    "method": method.upper(),
                    "path": path,
                    "summary": about["summary"],
                    "more": about["description"].removesuffix(".").removeprefix(about["summary"]),
                    "scope": about["x-scope"],
                    "asked": [_asked(one) for one in about.get("parameters", ())],
                    "takes": _members(schema, _content(about.get("requestBody"))),
                    "answers": _answers(schema, about),
                    "statuses": [
                        (status, told["description"]) for status, told in about["responses"].items()
                    ],
                }
            )
    context = {
        "groups": sorted(groups.items()),
        "address": schema["servers"][0]["url"],
        "scopes": api_tokens.SCOPES.items(),
    }
    return render(request, "api_docs.html", context)


def _asked(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": one["name"],
        "at": one["in"],
        "kind": _kind(one["schema"]),
        "required": one.get("required", False),
        "says": one.get("description", ""),
    }


def _content(part: dict[str, Any] | None) -> dict[str, Any]:
    said = (part or {}).get("content", {}).get("application/json", {})
    found: dict[str, Any] = said.get("schema", {})
    return found


def _answers(schema: dict[str, Any], about: dict[str, Any]) -> list[dict[str, Any]]:
    """The members of what is answered; of a list, those of its rows."""
    said = next(told for status, told in about["responses"].items() if status.startswith("2"))
    shape = _shape(schema, _content(said))
    items = shape.get("properties", {}).get("items")
    return _members(schema, items["items"] if items and "next" in shape["properties"] else shape)


def _shape(schema: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in one:
        return one
    found: dict[str, Any] = schema["components"]["schemas"][one["$ref"].rpartition("/")[2]]
    return found


def _members(schema: dict[str, Any], one: dict[str, Any]) -> list[dict[str, Any]]:
    shape = _shape(schema, one)
    needed = set(shape.get("required", ()))
    return [
        {
            "name": name,
            "kind": _kind(member),
            "required": name in needed,
            "says": member.get("description", ""),
        }
        for name, member in shape.get("properties", {}).items()
    ]


def _kind(member: dict[str, Any]) -> str:
    """A type in a few words."""
    if "$ref" in member:
        return str(member["$ref"].rpartition("/")[2])
    if "allOf" in member:
        return _kind(member["allOf"][0])
    if member.get("type") == "array":
        return f"[{_kind(member['items'])}]"
    if "enum" in member:
        return " | ".join(str(word) or "''" for word in member["enum"])
    kinds = member.get("type", "any")
    kind = " | ".join(kinds) if isinstance(kinds, list) else str(kinds)
    bounds = [f"{word} {member[name]}" for name, word in _BOUNDS.items() if name in member]
    return ", ".join([member.get("format", kind) + (" | null" if "null" in kinds else ""), *bounds])


_BOUNDS = {"minimum": "from", "maximum": "to", "maxLength": "at most", "maxItems": "at most"}
