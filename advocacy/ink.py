"""The company's ink: one colour for light pages and one for dark ones, both readable.

Kept as a file beside the pictures, because every page asks for it and no query should. Only the
ink of one's own words changes; signals keep their colours, because they carry meaning.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext_lazy as _

_HEX = re.compile(r"#[0-9a-f]{6}")
LEAST = 4.5  # WCAG 2.2, 1.4.3, for text of the usual size
_Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Ground:
    """What lies under the ink: page and cards (base.css), and what is written on the ink."""

    page: _Rgb
    surface: _Rgb
    on_own: _Rgb


LIGHT = Ground((0xEE, 0xF1, 0xEF), (0xFF, 0xFF, 0xFF), (0xFF, 0xFF, 0xFF))
DARK = Ground((0x0E, 0x15, 0x13), (0x17, 0x20, 0x1E), (0x0B, 0x13, 0x30))


@dataclass(frozen=True, slots=True)
class Ink:
    """The two colours as ``#rrggbb``."""

    light: str
    dark: str


USUAL = Ink("#2140b8", "#9db6ff")  # --own of base.css
_TOO_WEAK = {
    "light": _(
        "On light pages it reaches a contrast of %(found)s; text needs 4.5. Take a darker one."
    ),
    "dark": _(
        "On dark pages it reaches a contrast of %(found)s; text needs 4.5. Take a lighter one."
    ),
}


class InkRefused(Exception):
    """A colour that cannot be taken: the field and a sentence."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field, self.sentence = field, sentence


def _rgb(colour: str) -> _Rgb:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hex(colour: _Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _luminance(colour: _Rgb) -> float:
    """Relative luminance by WCAG 2.2."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: _Rgb, other: _Rgb) -> float:
    """Between 1 and 21, by WCAG 2.2."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _mixed(one: _Rgb, other: _Rgb, share: float) -> _Rgb:
    red, green, blue = (round(a * share + b * (1 - share)) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _shades(colour: str, ground: Ground) -> dict[str, _Rgb]:
    """The colour, a stronger one for a pressed button, and a tint to lay under one's own words."""
    own = _rgb(colour)
    away = (0, 0, 0) if ground is LIGHT else (255, 255, 255)
    return {
        "own": own,
        "own-strong": _mixed(own, away, 0.72),
        "own-tint": _mixed(own, ground.surface, 0.11 if ground is LIGHT else 0.2),
        "on-own": ground.on_own,
    }


def weakest(colour: str, ground: Ground) -> float:
    """The worst contrast of all pairs that pages lay on each other."""
    shades = _shades(colour, ground)
    beneath = (ground.page, ground.surface, shades["own-tint"])
    pairs = [(shades["own"], under) for under in beneath]
    pairs += [(shades["on-own"], shades["own"]), (shades["on-own"], shades["own-strong"])]
    return min(contrast(*pair) for pair in pairs)


def save(light: str, dark: str) -> None:
    """Keep the two colours. Raises :class:`InkRefused` where text would be hard to read."""
    for field, colour, ground in (("light", light, LIGHT), ("dark", dark, DARK)):
        if not _HEX.fullmatch(colour):
            raise InkRefused(field, str(_("Write a colour as # and six digits, like #2140b8.")))
        if (found := weakest(colour, ground)) < LEAST:
            told = {"found": f"{int(found * 10) / 10:.1f}"}
            raise InkRefused(field, str(_TOO_WEAK[field]) % told)
    place = _place()
    if Ink(light, dark) == USUAL:
        place.unlink(missing_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    new = place.with_suffix(".new")
    new.write_text(json.dumps({"light": light, "dark": dark}), encoding="utf-8")
    new.replace(place)


def stamp() -> str:
    """Which version of the colours holds; empty while they are the usual ones."""
    try:
        return str(_place().stat().st_mtime_ns)
    except OSError:
        return ""


def chosen() -> Ink:
    """The company's colours."""
    return _read(str(_place()), stamp())


@lru_cache(maxsize=2)
def _read(place: str, stamped: str) -> Ink:
    if not stamped:
        return USUAL
    try:
        told = json.loads(Path(place).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return USUAL
    return Ink(told["light"], told["dark"])


def css() -> str:
    """The style sheet that lays them over the usual ones."""
    company = chosen()
    light, dark = _shades(company.light, LIGHT), _shades(company.dark, DARK)
    lines = [
        f"  --{name}: light-dark({_hex(light[name])}, {_hex(dark[name])});\n" for name in light
    ]
    return ":root {\n" + "".join(lines) + "}\n"


def _place() -> Path:
    return Path(settings.MEDIA_ROOT) / "ink.json"
