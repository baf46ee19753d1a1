"""Networks a person posts on by hand: we count, copy and open, nothing more yet."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NoReturn

from . import counting
from .base import Abilities, Access, Figures, NotAble, Outgoing, Window


class _ByHand:
    """Publishing would be a promise we do not keep, so every call says that it cannot."""

    abilities: Abilities

    def length(self, text: str, *, limits: Mapping[str, int] | None = None) -> int:
        """Count as the network counts."""
        del limits
        if self.abilities.unit == "weighted":
            return counting.weighted(text)
        return len(text.encode("utf-16-le")) // 2

    def publish(self, post: Outgoing, access: Access, window: Window) -> NoReturn:
        """Not able."""
        raise NotAble(self.abilities.name)

    def look(self, post: Outgoing, access: Access, since: dt.datetime) -> NoReturn:
        """Not able."""
        raise NotAble(self.abilities.name)

    def measure(self, remote_ids: Sequence[str], access: Access) -> dict[str, Figures]:
        """Not able."""
        raise NotAble(self.abilities.name)

    def refresh(self, access: Access, now: dt.datetime) -> NoReturn:
        """Not able."""
        raise NotAble(self.abilities.name)

    def remove(self, remote_id: str, access: Access) -> NoReturn:
        """Not able."""
        raise NotAble(self.abilities.name)


class LinkedIn(_ByHand):
    """Share page takes the link only; the text travels by clipboard (share_intents.md)."""

    abilities = Abilities(
        name="linkedin",
        label="LinkedIn",
        limit=3000,
        unit="character",
        url_length=None,
        pictures=1,
        intent_url="https://www.linkedin.com/feed/?shareActive=true&text={text}",
    )


class X(_ByHand):
    """Publishing there costs per post; copy-share is the default."""

    abilities = Abilities(
        name="x",
        label="X",
        limit=280,
        unit="weighted",
        url_length=counting.SHORT_URL,
        pictures=1,
        intent_url="https://x.com/intent/post?text={text}",
    )
