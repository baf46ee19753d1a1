"""Do two texts say it in nearly the same words? Pure functions; docs/writing.md has the proof.

A text is the set of its runs of four letters, after all that is no wording was taken away. The
verdict is the share of runs that two texts have in common: it bears other order, slips of the
finger and a word more or less, and finds paraphrases different. A post keeps its runs as numbers of
16 bits, so that its text need not be read again, and a few numbers more to be found by (MinHash in
bands, Broder 1997 and Indyk & Motwani 1998), so that nobody is compared with everybody: two texts
that are the same share one of these in all but one of 1,900 cases.
"""

import datetime as dt
import hashlib
import itertools
import re
import struct
import unicodedata
import zlib
from collections.abc import Collection, Iterable
from typing import Any

from ambassadors import tidying

PAIR_WITHIN = dt.timedelta(days=7)
SAME = 0.52  # of all runs; chosen on the tuning half of tests/data/sameness.json
_RUN = 4
_BANDS = 24
_LONGEST = 4000  # characters of wording that count; no network's text is longer
_NO_WORDING = re.compile(r"https?://\S+|[#@]\w+|\[[^\[\]\n]{1,200}\]")
_SPELLED = re.compile(r"(?<=[aou])e")  # ae, oe, ue are ä, ö, ü, and so is the bare letter
_MINIMA = struct.Struct(f"{2 * _BANDS}I")
_PAIR = struct.Struct("3I")


def core(text: str) -> str:
    """The wording alone: no case, punctuation, accents, links, hashtags, gaps; one space between.

    What has no letters at all (signs, pictures) stays as it is. A typed label stays in: it weighs
    too little to make two texts different.
    """
    plain = tidying.normal("NFKD", _NO_WORDING.sub(" ", text)).casefold()
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    words = " ".join(re.findall(r"\w+", _SPELLED.sub("", plain)))[:_LONGEST]
    return words or "".join(text.split())[:_LONGEST]


def runs(text: str) -> frozenset[int]:
    """The text's runs of four characters, each as a number; the whole where it is shorter."""
    wording = core(text)
    ends = max(len(wording) - _RUN, 0) + 1 if wording else 0
    return frozenset(
        zlib.crc32(wording[start : start + _RUN].encode()) & 0xFFFF for start in range(ends)
    )


def likeness(one: frozenset[int], other: Collection[int]) -> float:
    """Share of all runs that both texts have (Jaccard), from 0 to 1; of nothing at all, 0."""
    together = len(one.intersection(other))
    return together / (len(one) + len(other) - together) if together else 0.0


def same(one: frozenset[int], other: Collection[int]) -> bool:
    """The verdict over two texts' runs: the same wording, or nearly."""
    return likeness(one, other) >= SAME


def alike(said: Iterable[tuple[int, dt.datetime, frozenset[int]]]) -> tuple[set[int], int, int]:
    """Of people, moments and runs: who stands in a pair, how many pairs there are, how many agree.

    A pair is two different people within a week: who says one thing on two networks sounds like
    themselves.
    """
    people: set[int] = set()
    pairs = agree = 0
    for (one, at, mine), (other, then, theirs) in itertools.combinations(said, 2):
        if one != other and abs(at - then) <= PAIR_WITHIN:
            people |= {one, other}
            pairs += 1
            agree += same(mine, theirs)
    return people, pairs, agree


def bands(found: frozenset[int]) -> list[int]:
    """Numbers of 32 bits for a text's runs, one of which two same texts share."""
    if not found:
        return []
    draws = (_MINIMA.unpack(hashlib.shake_128(b"%d" % run).digest(_MINIMA.size)) for run in found)
    minima = [min(column) for column in zip(*draws, strict=True)]
    return [
        zlib.crc32(_PAIR.pack(band, minima[2 * band], minima[2 * band + 1])) - 2**31
        for band in range(_BANDS)
    ]


def kept(text: str) -> dict[str, Any]:
    """The columns of a post that are made of its text."""
    found = runs(text)
    return {"runs": struct.pack(f"<{len(found)}H", *sorted(found)), "bands": bands(found)}


def read(packed: bytes) -> tuple[int, ...]:
    """The runs that a post keeps, each once."""
    return struct.unpack(f"<{len(packed) // 2}H", packed)
