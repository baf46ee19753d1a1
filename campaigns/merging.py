"""Bring two texts together that were written on the same one: field by field, wording by wording.

Pure functions over :class:`campaigns.contents.Content`. What only one side touched is taken from
that side; what both touched alike is one; the rest is a clash and stands there twice.
"""

import copy
from dataclasses import dataclass
from typing import Any, cast

from .contents import SETS, Content, Wording

_PARTS = ("name", "language", "network", "text")
_TIMES = ("embargo_until", "expires_at")
_LISTS = frozenset({"prompts", "facts", "leave_out"})


@dataclass(frozen=True, slots=True)
class Clash:
    """What both sides wrote differently. ``key``: a field, or ``wording-`` and its row."""

    key: str
    mine: Any
    theirs: Any

    @property
    def is_wording(self) -> bool:
        """Tell whether the two sides are wordings (None where a side removed it)."""
        return self.key.startswith("wording-")


@dataclass(frozen=True, slots=True)
class Merged:
    """``content`` holds mine where it clashes; ``taken`` names what came from the other side."""

    content: Content
    taken: tuple[str, ...]
    clashes: tuple[Clash, ...]


def merge(*, base: Content | None, mine: Content, theirs: Content) -> Merged:
    """Merge two contents over the one they come from; without it every difference clashes."""
    fields: dict[str, Any] = {}
    taken: list[str] = []
    clashes: list[Clash] = []
    for name in {**theirs["fields"], **mine["fields"]}:
        b = theirs["fields"].get(name)
        a = mine["fields"].get(name, b)  # written before there was such a field: not touched
        common = base["fields"].get(name, _NOTHING) if base else _NOTHING
        value = _one(name, common, a, b)
        if value is _CLASH:
            clashes.append(Clash(name, a, b))
            value = a
        elif value != a:
            taken.append(name)
        fields[name] = copy.copy(value)
    wordings, from_them, wording_clashes = _wordings(base, mine, theirs)
    content: Content = {"fields": fields, "wordings": wordings}
    if not ends_after_begin(content) and not any(clash.key in _TIMES for clash in clashes):
        clashes += [Clash(name, mine["fields"][name], theirs["fields"][name]) for name in _TIMES]
        fields |= {name: mine["fields"][name] for name in _TIMES}
    return Merged(content, (*taken, *from_them), (*clashes, *wording_clashes))


def ends_after_begin(content: Content) -> bool:
    """Tell whether embargo and end fit; both are ISO instants in UTC."""
    begin, end = (content["fields"].get(name) for name in _TIMES)
    return not begin or not end or begin < end


def settle(merged: Merged, picks: dict[str, Any]) -> Content:
    """Put the chosen values in the place of the clashes; None removes a wording."""
    content = copy.deepcopy(merged.content)
    for clash in merged.clashes:
        value = picks[clash.key]
        if not clash.is_wording:
            content["fields"][clash.key] = value
            continue
        key = _key(clash)
        places = [i for i, w in enumerate(content["wordings"]) if w["key"] == key]
        if value is None:
            content["wordings"] = [w for w in content["wordings"] if w["key"] != key]
        elif places:
            content["wordings"][places[0]] = value
        else:
            content["wordings"].append(value)
    return content


def adopt(mine: Content, saved: Content) -> Content:
    """Give keys to wordings that an earlier save of the same form has already stored."""
    known = {w["key"] for w in mine["wordings"]}
    free = iter([w["key"] for w in saved["wordings"] if w["key"] not in known])
    found = copy.deepcopy(mine)
    for wording in found["wordings"]:
        if wording["key"] is None:
            wording["key"] = next(free, None)
    return found


def differences(a: Content, b: Content) -> list[str]:
    """Name the fields and wordings (``wording-`` and row) in which two contents differ."""
    fields = [
        name
        for name in {**a["fields"], **b["fields"]}
        if a["fields"].get(name) != b["fields"].get(name)
    ]
    ours, others = _by_key(a), _by_key(b)
    keys = [key for key in {**ours, **others} if ours.get(key) != others.get(key)]
    found = [*fields, *(f"wording-{key}" for key in keys)]
    if not found and [w["key"] for w in a["wordings"]] != [w["key"] for w in b["wordings"]]:
        found.append("order")
    return found


class _Mark:
    """A value that equals nothing that can be stored."""


_NOTHING, _CLASH = _Mark(), _Mark()


def _one(name: str, base: Any, mine: Any, theirs: Any) -> Any:
    """The common value of one field, or the mark of a clash."""
    if theirs in (mine, base):
        return mine
    if base == mine:
        return theirs
    if base is _NOTHING:
        return _CLASH
    if name in SETS:
        gone = (set(base) - set(mine)) | (set(base) - set(theirs))
        return sorted((set(mine) | set(theirs)) - gone)
    if name in _LISTS and _only_added(base, mine) and _only_added(base, theirs):
        return [*theirs, *(line for line in mine if line not in theirs)]
    return _CLASH


def _only_added(base: list[str], longer: list[str]) -> bool:
    rest = iter(longer)
    return all(line in rest for line in base)


def _by_key(content: Content) -> dict[Any, Wording]:
    """Wordings by row; those without a row by their place among them."""
    found: dict[Any, Wording] = {}
    fresh = 0
    for wording in content["wordings"]:
        if wording["key"] is None:
            fresh += 1
            found[f"new-{fresh}"] = wording
        else:
            found[wording["key"]] = wording
    return found


def _wordings(
    base: Content | None, mine: Content, theirs: Content
) -> tuple[list[Wording], list[str], list[Clash]]:
    common = _by_key(base) if base else {}
    ours, others = _by_key(mine), _by_key(theirs)
    taken: list[str] = []
    clashes: list[Clash] = []
    found: dict[Any, Wording] = {}
    for key in _order(common, ours, others):
        a, b, before = ours.get(key), others.get(key), common.get(key)
        if a == b or (before is not None and before == b):
            value = a
        elif before == a:  # theirs: changed, removed, or new where mine has none
            value = b
            taken.append(f"wording-{key}")
        elif b is None and before is None:  # mine, new
            value = a
        else:
            value, clash = _both(key, before, a, b)
            clashes += [clash] if clash else []
        if value is not None:
            found[key] = value
    return list(found.values()), taken, clashes


def _both(
    key: Any, base: Wording | None, mine: Wording | None, theirs: Wording | None
) -> tuple[Wording | None, Clash | None]:
    """Both sides touched one wording: its name, its network and its text are merged each."""
    if mine is None or theirs is None:
        return mine, Clash(f"wording-{key}", mine, theirs)
    a, b = cast("dict[str, Any]", mine.copy()), cast("dict[str, Any]", theirs.copy())
    before = cast("dict[str, Any]", base or {})
    for part in _PARTS:
        value = _one(part, before.get(part, _NOTHING), a[part], b[part])
        if value is not _CLASH:
            a[part] = b[part] = value
    return cast("Wording", a), Clash(f"wording-{key}", a, b) if a != b else None


def _order(common: dict[Any, Wording], ours: dict[Any, Wording], others: dict[Any, Wording]) -> Any:
    """My order where they left theirs alone, otherwise theirs; what is missing follows."""
    unmoved = [key for key in others if key in common] == [key for key in common if key in others]
    first, then = (ours, others) if unmoved else (others, ours)
    return {**first, **then}


def _key(clash: Clash) -> int | None:
    text = clash.key.removeprefix("wording-")
    return int(text) if text.isdecimal() else None
