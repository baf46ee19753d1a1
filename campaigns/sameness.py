"""Do two texts say it in nearly the same words? Pure functions; docs/writing.md has the proof.

A text is the set of its runs of four letters, after all that is no wording was taken away. The
verdict is the share of runs that two texts have in common: it bears other order, slips of the
finger and a word more or less, and finds paraphrases different. So that nobody is compared with
everybody, each post keeps a handful of numbers (MinHash in bands, Broder 1997 and Indyk & Motwani
1998): texts that are the same by the verdict share one of them in all but one of 1,900 cases.
"""

import hashlib
import re
import struct
import unicodedata
import zlib

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
    plain = unicodedata.normalize("NFKD", _NO_WORDING.sub(" ", text)).casefold()
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    words = " ".join(re.findall(r"\w+", _SPELLED.sub("", plain)))[:_LONGEST]
    return words or "".join(text.split())[:_LONGEST]


def runs(text: str) -> frozenset[str]:
    """The text's runs of four characters; the whole where it is shorter."""
    wording = core(text)
    return frozenset(
        wording[start : start + _RUN] for start in range(max(len(wording) - _RUN, 0) + 1)
    )


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Share of all runs that both texts have (Jaccard), from 0 to 1; of nothing at all, 0."""
    together = len(one & other)
    return together / (len(one) + len(other) - together) if one != {""} else 0.0


def same(one: frozenset[str], other: frozenset[str]) -> bool:
    """The verdict over two texts' runs: the same wording, or nearly."""
    return likeness(one, other) >= SAME


def bands(text: str) -> list[int]:
    """What a post keeps to be found by: numbers of 32 bits, one of which two same texts share."""
    found = runs(text)
    if found == {""}:
        return []
    draws = (_MINIMA.unpack(hashlib.shake_128(run.encode()).digest(_MINIMA.size)) for run in found)
    minima = [min(column) for column in zip(*draws, strict=True)]
    return [
        zlib.crc32(_PAIR.pack(band, minima[2 * band], minima[2 * band + 1])) - 2**31
        for band in range(_BANDS)
    ]
