"""How every life moves: one conditional UPDATE along a declared graph. Rooms declare theirs."""

from typing import Any

from django.db import models

# target: the states it may be reached from.
Graph = dict[str, tuple[str, ...]]


class NoSuchWay(Exception):
    """The graph has no such edge: a mistake in the code, never bad luck."""


def move(
    rows: "models.QuerySet[Any]", graph: Graph, *, source: str, to: str, **changes: Any
) -> bool:
    """Do one conditional UPDATE; tells whether it happened. Raises NoSuchWay off the graph."""
    if source not in graph[to]:
        message = f"{source} → {to}"
        raise NoSuchWay(message)
    return bool(rows.filter(state=source).update(state=to, **changes))
