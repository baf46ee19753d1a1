"""Figures about others exist for groups of at least five. The one place that decides."""

GROUP = 5


def shown(count: int) -> int | None:
    """The count if enough people stand behind it, else None: too few to tell."""
    return count if count >= GROUP else None


def at_least(count: int) -> int:
    """The count in whole groups: no step of it, and no difference of two, tells on fewer."""
    return count - count % GROUP
