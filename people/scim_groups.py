"""Groups of the directory: kept as they come, and what they give is given afterwards.

Patches are done as set operations, so that one person in a group of twenty thousand costs what
one person costs. What is no plain change of members goes through the library.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from scim2_models import (
    InvalidValueException,
    Meta,
    NotFoundException,
    PatchOp,
    UniquenessException,
)
from scim2_models.path import CompareOperator, Comparison, LogicalExpr, LogicalOperator

from ambassadors import audit, groups, tidying
from ambassadors.models import GroupRule, Person

from .models import GroupNews, ScimGroup, ScimMember, ScimToken
from .scim_filters import is_key
from .scim_schema import Group, Member
from .scim_users import base, known

_AT_ONCE = 50  # people whose roles follow within the request; a worker sees to the rest


def get(key: str) -> ScimGroup:
    """A group by our id. Raises NotFoundException."""
    group = ScimGroup.objects.filter(pk=int(key)).first() if is_key(key) else None
    if group is None:
        raise NotFoundException(detail="There is no such group.")
    return group


def shown(group: ScimGroup, *, members: bool) -> Group:
    """A group as a resource, with its members where they are asked for."""
    inside = None
    if members:
        rows = ScimMember.objects.filter(group=group).order_by("person_id")
        inside = [
            Member.model_validate({"value": str(pk), "$ref": f"{base()}/Users/{pk}"})
            for pk in rows.values_list("person_id", flat=True)
        ] or None
    return Group(
        id=str(group.pk),
        external_id=group.external_id or None,
        display_name=group.display_name,
        members=inside,
        meta=Meta(
            resource_type="Group", created=group.made_at, last_modified=group.changed_at,
            location=f"{base()}/Groups/{group.pk}",
        ),
    )  # fmt: skip


def _inside(resource: Group) -> set[int]:
    return _keys({member.value or "" for member in resource.members or []})


def _keys(texts: set[str]) -> set[int]:
    """Our keys of members, all known. Raises NotFoundException: the provider sends users first."""
    keys = {int(text) for text in texts if is_key(text)}
    found = set(known().order_by().filter(pk__in=keys).values_list("pk", flat=True))
    if len(found) < len(texts):
        missing = min(texts - {str(key) for key in found})
        raise NotFoundException(
            detail=f"There is no user {missing[:40]!r}. Nothing was changed; send the user first."
        )
    return found


def create(resource: Group, *, token: ScimToken, now: dt.datetime) -> ScimGroup:
    """Make a group with its members. Raises UniquenessException (409) for a name that is taken."""
    name, key = _named(resource)
    with transaction.atomic():
        keys = _inside(resource)
        try:
            with transaction.atomic():
                group = ScimGroup.objects.create(
                    display_name=name, key=key, external_id=_external(resource),
                    made_at=now, changed_at=now,
                )  # fmt: skip
        except IntegrityError as error:
            raise _taken() from error
        audit.record("scim.group_made", group, by=None, now=now, token=token.pk)
        _add(group, keys)
    follow(keys, most=_AT_ONCE, now=now)
    return group


def replace(group: ScimGroup, resource: Group, *, token: ScimToken, now: dt.datetime) -> ScimGroup:
    """Store a whole group in place of the old one. Raises as :func:`create` does."""
    del token
    with transaction.atomic():
        touched = _rename(group, resource, now)
        keys = _inside(resource)
        held = set(ScimMember.objects.filter(group=group).values_list("person", flat=True))
        _add(group, keys - held)
        _remove(group, held - keys)
    follow(touched | (keys ^ held), most=_AT_ONCE, now=now)
    return get(str(group.pk))


def delete(group: ScimGroup, *, now: dt.datetime) -> None:
    """The group is gone, and what it gave."""
    with transaction.atomic():
        keys = set(ScimMember.objects.filter(group=group).values_list("person", flat=True))
        audit.record("scim.group_deleted", group, by=None, now=now)
        _news(group, keys)
        group.delete()
    follow(keys, most=_AT_ONCE, now=now)


@dataclass
class _Change:
    """Members that come and go."""

    adds: set[str] = field(default_factory=set)
    removes: set[str] = field(default_factory=set)


def patch(
    group: ScimGroup, body: "PatchOp[Group]", *, token: ScimToken, now: dt.datetime
) -> ScimGroup:
    """Apply operations: plain changes of members as sets, everything else on the resource."""
    change = _plain(body)
    if change is None:
        with transaction.atomic():
            group = ScimGroup.objects.select_for_update().get(pk=group.pk)
            resource = shown(group, members=True)
            return replace(group, resource, token=token, now=now) if body.patch(resource) else group
    with transaction.atomic():
        ScimGroup.objects.select_for_update().get(pk=group.pk)
        adds = _keys(change.adds)
        removes = {int(text) for text in change.removes if is_key(text)}
        held = ScimMember.objects.filter(group=group)
        adds -= set(held.filter(person__in=adds).values_list("person", flat=True))
        removes = set(held.filter(person__in=removes).values_list("person", flat=True))
        _add(group, adds)
        _remove(group, removes)
        if adds or removes:
            ScimGroup.objects.filter(pk=group.pk).update(changed_at=now)
    follow(adds | removes, most=_AT_ONCE, now=now)
    return get(str(group.pk))


def _plain(body: "PatchOp[Group]") -> _Change | None:
    """The members that operations add and remove, if they do nothing else."""
    change = _Change()
    for operation in body.operations or []:
        path, value = str(operation.path or "").casefold(), operation.value
        if not path and isinstance(value, dict) and [n.casefold() for n in value] == ["members"]:
            path, value = "members", next(iter(value.values()))
        if operation.op == "add" and path == "members":
            values = _values(value)
            if values is None:
                return None
            change.adds |= values
            change.removes -= values
        elif operation.op == "remove" and path.startswith("members") and operation.path:
            values = _values(operation.value) if operation.value else _selected(operation.path)
            if values is None:
                return None
            change.removes |= values
            change.adds -= values
        else:
            return None
    return change


def _values(value: Any) -> set[str] | None:
    entries = value if isinstance(value, list) else [value]
    found = set()
    for entry in entries:
        text = entry.get("value") if isinstance(entry, dict) else None
        if not isinstance(text, str):
            return None
        found.add(text)
    return found


def _selected(path: Any) -> set[str] | None:
    """The keys in ``members[value eq "1" or value eq "2"]``."""
    node = path.value_filter
    either = isinstance(node, LogicalExpr) and node.op == LogicalOperator.or_
    terms = node.terms if either else (node,)
    found = set()
    for term in terms:
        if (
            not isinstance(term, Comparison)
            or term.op != CompareOperator.eq
            or term.attr_path.attr.casefold() != "value"
            or not isinstance(term.value, str)
        ):
            return None
        found.add(term.value)
    return found


def _named(resource: Group) -> tuple[str, str]:
    name = tidying.line(resource.display_name or "")
    key = tidying.key(name)
    if not 0 < len(name) <= 255 or len(key) > 255:
        raise InvalidValueException(detail="displayName has 1 to 255 characters.")
    return name, key


def _external(resource: Group) -> str:
    external = tidying.line(resource.external_id or "")
    if len(external) > 255:
        raise InvalidValueException(detail="externalId has up to 255 characters.")
    return external


def _taken() -> UniquenessException:
    error = UniquenessException(detail="There is a group of this name.")
    error.status = 409
    return error


def _rename(group: ScimGroup, resource: Group, now: dt.datetime) -> set[int]:
    """Store name and id; returns whom the rules of another name concern."""
    name, key = _named(resource)
    external = _external(resource)
    same = (group.key, group.external_id) == (key, external)
    touched = set() if same else set(_members(group))
    if not same:
        _news(group, touched)
    try:
        with transaction.atomic():
            ScimGroup.objects.filter(pk=group.pk).update(
                display_name=name, key=key, external_id=external, changed_at=now
            )
    except IntegrityError as error:
        raise _taken() from error
    group.refresh_from_db()
    if not same:
        _news(group, touched)
    return touched


def _members(group: ScimGroup) -> Iterable[int]:
    return ScimMember.objects.filter(group=group).values_list("person", flat=True)


def _add(group: ScimGroup, keys: set[int]) -> None:
    rows = (ScimMember(group=group, person_id=key) for key in keys)
    ScimMember.objects.bulk_create(rows, batch_size=2000, ignore_conflicts=True)
    _news(group, keys)


def _remove(group: ScimGroup, keys: set[int]) -> None:
    ScimMember.objects.filter(group=group, person__in=keys).delete()
    _news(group, keys)


def _news(group: ScimGroup, keys: set[int]) -> None:
    """Note whose roles and teams may change, if any rule speaks of the group."""
    names = [group.key, tidying.key(group.external_id)]
    if keys and GroupRule.objects.filter(group__in=names).exists():
        news = (GroupNews(person_id=key) for key in keys)
        GroupNews.objects.bulk_create(news, batch_size=2000, ignore_conflicts=True)


def rules_changed(name: str) -> int:
    """A rule of a group came or went; returns how many people it concerns."""
    inside = ScimGroup.objects.filter(Q(key=name) | Q(external_id__iexact=name))
    keys = set(ScimMember.objects.filter(group__in=inside).values_list("person", flat=True))
    news = (GroupNews(person_id=key) for key in keys)
    GroupNews.objects.bulk_create(news, batch_size=2000, ignore_conflicts=True)
    return len(keys)


def follow(keys: Iterable[int] | None = None, *, most: int, now: dt.datetime) -> int:
    """Give people what their groups give; returns how many were looked at."""
    rows: QuerySet[GroupNews] = GroupNews.objects.order_by("person_id")
    if keys is not None:
        rows = rows.filter(person__in=list(keys)[:most])
    count = 0
    for news in rows[:most]:
        with transaction.atomic():
            if not GroupNews.objects.filter(pk=news.pk).delete()[0]:
                continue
            person = Person.objects.get(pk=news.pk)
            if person.left_at is None:
                groups.follow(person=person, groups=_names(person), now=now)
            count += 1
    return count


def _names(person: Person) -> list[str]:
    rows = ScimGroup.objects.filter(members=person).values_list("display_name", "external_id")
    return [text for pair in rows for text in pair if text]
