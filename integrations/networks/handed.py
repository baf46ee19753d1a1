"""Networks a person posts on by hand: we count, copy and open, nothing more yet."""

from collections.abc import Mapping

from . import counting
from .base import Abilities, Network


class _ByHand(Network):
    """Counts like the network, and can nothing else."""

    def length(self, text: str, *, limits: Mapping[str, int] | None = None) -> int:
        """Count as the network counts."""
        del limits
        if self.abilities.unit == "weighted":
            return counting.weighted(text)
        return len(text.encode("utf-16-le")) // 2


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
