"""How often a hashtag was used on a day, from public APIs. Numbers only: no author, no text.

Facts: Mastodon's ``GET /api/v1/tags/:name`` carries seven days of ``history``
(docs.joinmastodon.org/entities/Tag); Bluesky's ``app.bsky.feed.searchPosts`` takes ``tag``,
``since`` and ``until`` and may ask for a login (docs.bsky.app).
"""

import datetime as dt
import json
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from .safe_fetch import NotFetched, fetch

SECONDS = 10.0
_PAGE, _PAGES = 100, 10  # a day with more than a thousand posts is counted as "at least" that


class NotCounted(Exception):
    """No number: ``unnamed`` (no server to ask), ``closed`` (members only) or ``odd``."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Count:
    """Uses on a day (UTC, as the networks count). ``capped``: there may be more."""

    day: dt.date
    uses: int
    capped: bool = False


def mastodon(tag: str, server: str) -> list[Count]:
    """The last seven days as one server has seen them. Raises :class:`NotCounted`."""
    if not server:
        raise NotCounted("unnamed")
    try:
        found = _ask(f"{server}/api/v1/tags/{urllib.parse.quote(tag, safe='')}")
    except NotFetched as error:
        if error.status == HTTPStatus.NOT_FOUND:  # nobody has used it there
            return []
        raise _not_counted(error) from error
    history = found.get("history")
    if not isinstance(history, list):
        raise NotCounted("odd")
    counts = [_mastodon_day(row) for row in history[:7] if isinstance(row, Mapping)]
    return [count for count in counts if count]


def _mastodon_day(row: Mapping[str, Any]) -> Count | None:
    try:
        day = dt.datetime.fromtimestamp(int(str(row["day"])[:12]), dt.UTC).date()
        return Count(day, min(max(int(str(row["uses"])[:9]), 0), 2_000_000_000))
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def bluesky(tag: str, server: str, *, day: dt.date) -> Count:
    """One day, by counting pages of the search. Raises :class:`NotCounted`."""
    if not server:
        raise NotCounted("unnamed")
    uses, cursor = 0, ""
    for _page in range(_PAGES):
        query = {
            "q": f"#{tag}",
            "tag": tag,
            "since": f"{day.isoformat()}T00:00:00Z",
            "until": f"{(day + dt.timedelta(days=1)).isoformat()}T00:00:00Z",
            "limit": str(_PAGE),
            **({"cursor": cursor} if cursor else {}),
        }
        address = f"{server}/xrpc/app.bsky.feed.searchPosts?{urllib.parse.urlencode(query)}"
        try:
            found = _ask(address)
        except NotFetched as error:
            raise _not_counted(error) from error
        posts, cursor = found.get("posts"), str(found.get("cursor") or "")
        if not isinstance(posts, list):
            raise NotCounted("odd")
        uses += len(posts)
        if not cursor or not posts:
            return Count(day, uses)
    return Count(day, uses, capped=True)


def _ask(address: str) -> Mapping[str, Any]:
    page = fetch(address, own_hosts=frozenset(), seconds=SECONDS)
    try:
        found = json.loads(page.body)
    except (ValueError, RecursionError) as error:
        raise NotCounted("odd") from error
    if not isinstance(found, Mapping):
        raise NotCounted("odd")
    return found


def _not_counted(error: NotFetched) -> NotCounted:
    closed = error.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, 422}
    return NotCounted("closed" if closed else "odd")
