"""Figures about others exist for groups of at least five. The one place that decides."""

GROUP = 5


def shown(count: int) -> int | None:
    """The count if enough people stand behind it, else None: too few to tell."""
    return count if count >= GROUP else None
