"""A SCIM filter as a question to the database (RFC 7644 §3.4.2.2), for the attributes we can ask.

What cannot be asked is refused instead of answered wrongly.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.db.models import Exists, OuterRef, Q
from scim2_models import InvalidFilterException
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)

from ambassadors import tidying
from ambassadors.models import normalise_email

from .models import ScimMember

_TEXT = {
    CompareOperator.eq: "",
    CompareOperator.co: "__contains",
    CompareOperator.sw: "__startswith",
    CompareOperator.ew: "__endswith",
}
_ORDER = {
    CompareOperator.eq: "",
    CompareOperator.gt: "__gt",
    CompareOperator.ge: "__gte",
    CompareOperator.lt: "__lt",
    CompareOperator.le: "__lte",
}
_LARGEST = 2**63 - 1
# One comparison, as a condition; None where the operator does not fit.
Ask = Callable[[CompareOperator, Any], Q | None]


def _text(column: str, fold: Callable[[str], str] = str) -> Ask:
    def ask(operator: CompareOperator, value: Any) -> Q | None:
        if operator not in _TEXT or not isinstance(value, str):
            return None
        return Q(**{f"{column}{_TEXT[operator]}": fold(value)})

    return ask


def _key(column: str) -> Ask:
    """An id of ours; a text that is none matches nobody."""

    def ask(operator: CompareOperator, value: Any) -> Q | None:
        if operator != CompareOperator.eq or not isinstance(value, str):
            return None
        return Q(**{column: int(value)}) if is_key(value) else Q(pk__in=[])

    return ask


def is_key(text: str) -> bool:
    """Tell whether a text is a key of a row, as we write them."""
    return text.isascii() and text.isdecimal() and len(text) < 19 and int(text) <= _LARGEST


def _time(column: str) -> Ask:
    def ask(operator: CompareOperator, value: Any) -> Q | None:
        if operator not in _ORDER:
            return None
        try:
            moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
            return Q(**{f"{column}{_ORDER[operator]}": moment.astimezone(dt.UTC)})
        except (TypeError, ValueError, OverflowError):
            return None

    return ask


def _active(operator: CompareOperator, value: Any) -> Q | None:
    return (
        Q(is_active=value) if operator == CompareOperator.eq and isinstance(value, bool) else None
    )


def _user_name(operator: CompareOperator, value: Any) -> Q | None:
    """The name a provider gave, or the address of somebody no provider knows yet."""
    if operator not in _TEXT or not isinstance(value, str):
        return None
    kind = _TEXT[operator]
    return Q(**{f"scim__user_name_key{kind}": tidying.key(value)}) | Q(
        **{"scim__isnull": True, f"email_normalised{kind}": normalise_email(value)}
    )


def _member(operator: CompareOperator, value: Any) -> Q | None:
    if operator != CompareOperator.eq or not isinstance(value, str):
        return None
    if not is_key(value):
        return Q(pk__in=[])
    return Q(Exists(ScimMember.objects.filter(group=OuterRef("pk"), person=int(value))))


USERS: dict[str, Ask] = {
    "id": _key("pk"),
    "username": _user_name,
    "externalid": _text("external_id"),
    "emails": _text("email_normalised", normalise_email),
    "emails.value": _text("email_normalised", normalise_email),
    "displayname": _text("name"),
    "title": _text("job_title"),
    "active": _active,
    "meta.lastmodified": _time("scim__changed_at"),
}
GROUPS: dict[str, Ask] = {
    "id": _key("pk"),
    "displayname": _text("key", tidying.key),
    "externalid": _text("external_id"),
    "members": _member,
    "members.value": _member,
    "meta.lastmodified": _time("changed_at"),
}


class Question(FilterVisitor[Q]):
    """Turns the tree of a filter into a condition; raises InvalidFilterException."""

    def __init__(self, attributes: dict[str, Ask], within: str = "") -> None:
        self.attributes, self.within = attributes, within

    def _ask(self, path: AttrPath, operator: CompareOperator, value: Any) -> Q:
        name = f"{path.attr}.{path.sub_attr}" if path.sub_attr else path.attr
        name = f"{self.within}{name}".casefold()
        if name in {"emails.type", "emails.primary"}:  # the one we keep is for work and primary
            return Q(pk__isnull=operator == CompareOperator.ne)
        ask = self.attributes.get(name)
        negative = operator == CompareOperator.ne
        found = ask(CompareOperator.eq if negative else operator, value) if ask else None
        if found is None:
            raise InvalidFilterException(detail=f"This service cannot filter so by {name}.")
        return ~found if negative else found

    def visit_comparison(self, node: Comparison) -> Q:
        """One attribute beside a value."""
        return self._ask(node.attr_path, node.op, node.value)

    def visit_present(self, node: Present) -> Q:
        """An attribute that has a value: only the ones everybody has."""
        name = f"{self.within}{node.attr_path.attr}".casefold()
        if name in {"id", "username", "emails", "active", "displayname"}:
            return Q(pk__isnull=False)
        if name == "externalid":
            return ~Q(external_id="")
        raise InvalidFilterException(detail=f"This service cannot filter so by {name}.")

    def visit_not(self, node: Not) -> Q:
        """The opposite."""
        return ~self.visit(node.expr)

    def visit_logical_expr(self, node: LogicalExpr) -> Q:
        """All of them, or one of them."""
        found = self.visit(node.terms[0])
        for term in node.terms[1:]:
            other = self.visit(term)
            found = found & other if node.op == LogicalOperator.and_ else found | other
        return found

    def visit_value_path(self, node: ValuePath) -> Q:
        """Values of one attribute, as in ``emails[type eq "work" and value eq "…"]``."""
        return Question(self.attributes, f"{node.attr_path.attr}.").visit(node.val_filter)
