"""People as SCIM users: found, made, replaced, patched, gone."""

import datetime as dt
from typing import Any, cast

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from scim2_models import (
    Context,
    ForbiddenException,
    InvalidValueException,
    Meta,
    NotFoundException,
    PatchOp,
    UniquenessException,
)

from ambassadors import directory, tidying
from ambassadors.memberships import LastAdministrator
from ambassadors.models import Person, Role

from . import departures, reasons, welcomes
from .models import ScimToken, ScimUser
from .scim_filters import is_key
from .scim_schema import Email, EnterpriseUser, FullUser, Name, UserGroup

_RIGHTS = frozenset(value for value in Role.Name.values if value != Role.Name.AMBASSADOR)


def base() -> str:
    """The address of the service."""
    return f"{settings.SITE_URL}/scim/v2"


def known() -> "QuerySet[Person]":
    """Everybody a provider may see: who is here, and whom a provider brought and did not delete."""
    rows = Person.objects.filter(
        Q(scim__isnull=True, left_at__isnull=True)
        | Q(scim__isnull=False, scim__removed_at__isnull=True)
    )
    return rows.select_related("scim", "site").prefetch_related("scim_groups").order_by("pk")


def get(key: str) -> Person:
    """A person by our id. Raises NotFoundException."""
    person = known().filter(pk=int(key)).first() if is_key(key) else None
    if person is None:
        raise NotFoundException(detail="There is no such user.")
    return person


def shown(person: Person) -> FullUser:
    """A person as a resource: what the provider said, overlaid by what we know today."""
    scim = getattr(person, "scim", None)
    said = dict(scim.said) if scim else {}
    user = FullUser.model_validate(
        {**said, "userName": said.get("userName", person.email), "active": person.is_active}
    )
    old = user.emails[0] if user.emails else Email(type="work", primary=True)
    user.emails = [Email(value=person.email, type=old.type, primary=old.primary)]
    user.id, user.external_id = str(person.pk), person.external_id or None
    user.title = person.job_title or None
    if scim is None or _name(user) != person.name:
        user.name, user.display_name = Name(formatted=person.name), person.name
    user.groups = [
        UserGroup.model_validate(
            {
                "value": str(group.pk),
                "$ref": f"{base()}/Groups/{group.pk}",
                "display": group.display_name,
            }
        )
        for group in cast("Any", person).scim_groups.all()
    ] or None
    user.meta = Meta(
        resource_type="User",
        created=scim.made_at if scim else person.joined_at,
        last_modified=scim.changed_at if scim else person.joined_at,
        location=f"{base()}/Users/{person.pk}",
    )
    return user


def _name(user: FullUser) -> str:
    """How the person is called: what the provider shows, or the parts of the name."""
    name = user.name or Name()
    parts = " ".join(part for part in (name.given_name, name.family_name) if part)
    for text in (user.display_name, name.formatted, parts, user.user_name):
        if text and tidying.is_seen(tidying.line(text)):
            return tidying.line(text)[:150]
    return ""


def prepared(payload: dict[str, Any]) -> dict[str, Any]:
    """A payload with what providers leave out: somebody is active, and a name may be the address.

    Raises InvalidValueException for one that would give rights.
    """
    refuse_rights(payload)
    named = {name.casefold(): name for name in payload}
    whole = dict(payload)
    if whole.get(named.get("active", "active")) is None:
        whole[named.get("active", "active")] = True
    emails = whole.get(named.get("emails", "emails"))
    user_name = whole.get(named.get("username", "userName"))
    if not emails and isinstance(user_name, str) and "@" in user_name:
        whole[named.get("emails", "emails")] = [
            {"value": user_name, "type": "work", "primary": True}
        ]
    return whole


def refuse_rights(payload: Any) -> None:
    """Refuse roles and entitlements that name a right of ours. Raises InvalidValueException."""
    if isinstance(payload, list):
        for item in payload:
            refuse_rights(item)
    if not isinstance(payload, dict):
        return
    for name, value in payload.items():
        folded = str(name).casefold()
        path = str(value).casefold() if folded == "path" else ""
        if path.startswith(("roles", "entitlements")):
            _refuse_right(payload.get("value", payload.get("Value")))
        elif folded in {"roles", "entitlements"}:
            _refuse_right(value)
        elif folded in {"operations", "value"}:
            refuse_rights(value)


def _refuse_right(value: Any) -> None:
    texts = value if isinstance(value, list) else [value]
    for text in texts:
        word = text.get("value", text.get("display", "")) if isinstance(text, dict) else text
        folded = tidying.key(str(word))
        if folded in _RIGHTS or "admin" in folded:
            raise InvalidValueException(
                detail="Roles are never set on a user. An administrator of Botschaft maps groups"
                " to roles; the role of an administrator comes from no directory."
            )


def _entry(user: FullUser) -> directory.Entry:
    """What the resource says of the person. Raises InvalidValueException."""
    sites = directory.Sites()
    extension = user[EnterpriseUser]
    email = _chosen(user)
    texts = {
        "email": email.value or "" if email else "",
        "external_id": user.external_id or "",
        "name": _name(user),
        "job_title": user.title or "",
        "language": user.preferred_language or "",
        "timezone": user.timezone or "",
        "site": (extension.division if extension else "") or "",
    }
    if not directory.is_zone(texts["timezone"]):
        texts["timezone"] = ""  # the company's clock, as for a person without one
    if texts["site"] and not sites.knows(texts["site"]):
        del texts["site"]
    try:
        return directory.read(texts, sites)
    except directory.Refused as refused:
        raise InvalidValueException(detail=reasons.plain(refused.why, refused.detail)) from refused


def _chosen(user: FullUser) -> Email | None:
    """The address we keep: the primary one, else the one for work, else the first."""
    emails = [email for email in user.emails or [] if email.value]
    return min(
        emails,
        key=lambda e: (not e.primary, (e.type or "").casefold() != "work"),
        default=None,
    )


def _said(user: FullUser) -> dict[str, Any]:
    """What is kept of a resource: the declared attributes, one address."""
    email = _chosen(user)
    kept = user.model_copy(update={"emails": [email] if email else None, "groups": None})
    said: dict[str, Any] = kept.model_dump(scim_ctx=Context.DEFAULT)
    for name in ("id", "meta", "externalId", "groups"):
        said.pop(name, None)
    return said


def _conflict(detail: str) -> UniquenessException:
    error = UniquenessException(detail=detail)
    error.status = 409
    return error


def _enter(user: FullUser, person: Person | None, token: ScimToken, now: dt.datetime) -> Person:
    try:
        return directory.enter(
            _entry(user), person=person, returns=bool(user.active), now=now, token=token.pk
        )
    except directory.Refused as refused:
        detail = reasons.plain(refused.why)
        if refused.why == "taken":
            raise _conflict(detail) from refused
        raise ForbiddenException(detail=detail) from refused


def _keep(user: FullUser, person: Person, now: dt.datetime) -> None:
    key = tidying.key(user.user_name or "")
    if not key or len(key) > 255:
        raise InvalidValueException(detail="userName has 1 to 255 characters.")
    ScimUser.objects.update_or_create(
        person=person,
        defaults={
            "user_name_key": key, "said": _said(user), "changed_at": now, "removed_at": None,
        },
        create_defaults={
            "user_name_key": key, "said": _said(user), "changed_at": now, "made_at": now,
        },
    )  # fmt: skip


def create(user: FullUser, *, token: ScimToken, now: dt.datetime) -> Person:
    """Make a person, or take over somebody no provider has yet; who left comes back.

    Raises UniquenessException (409) for somebody a provider has, and whoever would collide.
    """
    key = tidying.key(user.user_name or "")
    if ScimUser.objects.filter(user_name_key=key).exists():
        raise _conflict("This userName is taken.")
    try:
        with transaction.atomic():
            person = _enter(user, None, token, now)
            if ScimUser.objects.filter(person=person, removed_at__isnull=True).exists():
                raise _conflict("This person is provisioned under another userName.")
            _keep(user, person, now)
            if person.joined_at == now:
                welcomes.owe(person)
    except IntegrityError as error:
        raise _conflict("Somebody else took this name or address.") from error
    return _set_active(person, user, now)


def replace(person: Person, user: FullUser, *, token: ScimToken, now: dt.datetime) -> Person:
    """Store a whole resource in place of the old one. Raises as :func:`create` does."""
    try:
        with transaction.atomic():
            entered = _enter(user, person, token, now)
            _keep(user, entered, now)
    except IntegrityError as error:
        raise _conflict("Somebody else took this name or address.") from error
    return _set_active(entered, user, now)


def patch(
    person: Person, body: "PatchOp[FullUser]", *, token: ScimToken, now: dt.datetime
) -> Person:
    """Apply operations to what stands; nothing is written when they change nothing.

    Two patches at once go one after the other, so that neither loses what the other changed.
    """
    try:
        with transaction.atomic():
            Person.objects.select_for_update().get(pk=person.pk)
            user = shown(get(str(person.pk)))
            if not body.patch(user):
                return person
            entered = _enter(user, person, token, now)
            _keep(user, entered, now)
    except IntegrityError as error:
        raise _conflict("Somebody else took this name or address.") from error
    return _set_active(entered, user, now)


def delete(person: Person, *, now: dt.datetime) -> None:
    """The provider forgets the person: they leave, and the name is free."""
    _depart(person, now)
    ScimUser.objects.update_or_create(
        person=person,
        defaults={"user_name_key": None, "removed_at": now, "changed_at": now},
        create_defaults={"removed_at": now, "changed_at": now, "made_at": now},
    )


def _set_active(person: Person, user: FullUser, now: dt.datetime) -> Person:
    if user.active:
        departures.stay(person, now=now)
    elif person.is_active:
        _depart(person, now)
    return get(str(person.pk))


def _depart(person: Person, now: dt.datetime) -> None:
    try:
        departures.ask(person, now=now)
    except LastAdministrator as error:
        raise ForbiddenException(detail=reasons.plain("last")) from error
