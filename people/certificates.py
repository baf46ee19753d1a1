"""The certificate: one page to print, with the name in whatever script it is written.

Our own two fonts come as woff2; a PDF wants TrueType. Both are variable and are used as they stand
by default, so the tables of their axes are left out. Letters they lack come from the fonts of
``CERTIFICATE_FONTS``; with a letter in none, the address stands below the name.
"""

import datetime as dt
import functools
import tempfile
import unicodedata
from pathlib import Path
from typing import cast

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.fonts import TTFFont

from campaigns import wording

from .models import Completion

_FONTS = [
    f"{family}-{part}"
    for family in ("literata", "schibsted-grotesk")
    for part in ("latin", "latin-ext")
]
_AXES = ("fvar", "gvar", "avar", "HVAR", "MVAR", "STAT", "VVAR", "cvar")
_SAID, _TOOL = _FONTS[0], _FONTS[2]
_INK, _SOFT, _OWN, _LINE = (18, 32, 28), (84, 100, 94), (33, 64, 184), (210, 218, 214)
_EDGE, _WIDE = 24.0, 162.0  # millimetres on A4
_NAME_SIZES = (34, 28, 22, 17, 13)  # points; the largest in which the name takes two lines


@functools.cache
def _directory() -> "tempfile.TemporaryDirectory[str]":
    """Our fonts as TrueType, made once in each process and gone with it."""
    made = tempfile.TemporaryDirectory(prefix="botschaft-fonts-")
    for name in _FONTS:
        with TTFont(settings.BASE_DIR / "static" / "fonts" / f"{name}.woff2") as font:
            font.flavor = None
            for table in _AXES:
                if table in font:
                    del font[table]
            font.save(Path(made.name) / f"{name}.ttf")
    return made


def _sheet() -> FPDF:
    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(False)
    pdf.set_text_shaping(True)
    pdf.set_margins(_EDGE, _EDGE)
    for name in _FONTS:
        pdf.add_font(name, fname=Path(_directory().name) / f"{name}.ttf")
    others = [path for path in settings.CERTIFICATE_FONTS if path.is_file()]
    for path in others:
        pdf.add_font(path.stem, fname=path)
    pdf.set_fallback_fonts([*_FONTS, *(path.stem for path in others)], exact_match=False)
    return pdf


def check_address(completion: Completion) -> str:
    """Where anybody sees whether the certificate holds."""
    return settings.SITE_URL + reverse("certificate_check", args=[completion.code])


def render(completion: Completion, *, made_on: dt.date) -> bytes:
    """The certificate as a PDF, in the language the course was held in."""
    with translation.override(completion.course.language):
        return _render(completion, made_on)


def _render(completion: Completion, made_on: dt.date) -> bytes:
    course, pdf = completion.course, _sheet()
    name = " ".join(wording.clean(completion.person.name).split()) or "–"
    pdf.set_title(_("Certificate: %(course)s") % {"course": course.title})
    pdf.set_lang(course.language)
    pdf.set_author(settings.ORGANISATION)
    pdf.set_subject(name)
    pdf.set_creation_date(dt.datetime.combine(made_on, dt.time(), dt.UTC))
    pdf.add_page()
    _line(pdf, 30, settings.ORGANISATION, _TOOL, 11, _SOFT)
    pdf.set_fill_color(*_OWN)
    pdf.rect(_EDGE, 52, 16, 1.2, style="F")
    _line(pdf, 62, _("Certificate"), _TOOL, 13, _SOFT)
    below = _name(pdf, 74, name)
    if any(not _has(pdf, letter) for letter in name):
        _line(pdf, below + 1, completion.person.shown_email, _TOOL, 13, _INK)
        below += 9
    _line(pdf, below + 8, _("has completed the course"), _TOOL, 13, _SOFT)
    pdf.set_xy(_EDGE, below + 20)
    pdf.set_font(_SAID, size=22)
    pdf.set_text_color(*_INK)
    pdf.multi_cell(_WIDE, 10, course.title, align="L")
    at = pdf.get_y() + 10
    facts = [(_("Completed"), date_format(completion.completed_on, "j. F Y"))]
    if completion.expires_on:
        facts.append((_("Holds until"), date_format(completion.expires_on, "j. F Y")))
    for label, said in facts:
        _line(pdf, at, label, _TOOL, 10, _SOFT)
        _line(pdf, at, said, _TOOL, 12, _INK, x=_EDGE + 38)
        at += 9
    pdf.set_draw_color(*_LINE)
    pdf.line(_EDGE, 262, _EDGE + _WIDE, 262)
    _line(pdf, 266, _("Whether it holds says this page, without a name:"), _TOOL, 9, _SOFT)
    _line(pdf, 272, check_address(completion), _TOOL, 9, _INK, link=check_address(completion))
    return bytes(pdf.output())


def _has(pdf: FPDF, letter: str) -> bool:
    """Tell whether one of the fonts can draw a letter; what is not drawn at all is no letter."""
    unseen = letter.isspace() or unicodedata.category(letter) in {"Cf", "Mn", "Me"}
    fonts = (font for font in pdf.fonts.values() if isinstance(font, TTFFont))
    return unseen or any(ord(letter) in font.cmap for font in fonts)


def _line(
    pdf: FPDF,
    y: float,
    text: str,
    font: str,
    size: float,
    colour: tuple[int, int, int],
    *,
    x: float = _EDGE,
    link: str = "",
) -> None:
    pdf.set_xy(x, y)
    pdf.set_font(font, size=size)
    pdf.set_text_color(*colour)
    pdf.cell(_EDGE + _WIDE - x, 6, text, link=link)


def _name(pdf: FPDF, y: float, name: str) -> float:
    """Write the name as large as two lines allow; returns where it ends."""
    for size in _NAME_SIZES:
        pdf.set_font(_SAID, size=size)
        height = size * 0.48
        pdf.set_xy(_EDGE, y)
        takes = pdf.multi_cell(_WIDE, height, name, align="L", dry_run=True, output="HEIGHT")
        if cast("float", takes) <= 2.5 * height or size == _NAME_SIZES[-1]:
            break
    pdf.set_text_color(*_INK)
    pdf.multi_cell(_WIDE, height, name, align="L")
    return float(pdf.get_y())
