"""The look's own marks: icons, lights, tally, word band. Everything is escaped."""

import math
import random
from collections.abc import Iterable
from typing import Any

from django import template
from django.forms import BoundField
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from campaigns import wording
from integrations.networks import NETWORKS

register = template.Library()

_MOST_TALLY = 25
_FIVE = 5


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """An icon of the sprite."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="#i-{}"/></svg>',
        extra,
        name,
    )


@register.simple_tag
def sign(light: str) -> SafeString:
    """The shape of a light, without its word."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="#s-{}"/></svg>', light)


@register.simple_tag
def ampel(light: str) -> SafeString:
    """The mast whose lamp's position carries the light."""
    return format_html(
        '<svg class="ampel" viewBox="0 0 20 48" aria-hidden="true" focusable="false">'
        '<use href="#ampel-{}"/></svg>',
        light,
    )


@register.simple_tag
def signal(line: str) -> SafeString:
    """Shape and word of a light, or of a topic without an official line, as a chip."""
    words = {
        "share": _("Free to share"),
        "careful": _("With care"),
        "own": _("No official line yet"),
        "hold": _("On hold"),
    }
    light = "careful" if line == "own" else line
    return format_html(
        '<span class="signal signal--chip" data-signal="{}">{}{}</span>',
        light,
        sign(light),
        words[line],
    )


@register.simple_tag
def net(name: str, size: str = "") -> SafeString:
    """A network's neutral monogram; its name is there for screen readers."""
    full = net_name(name)
    short = NETWORKS[name].abilities.monogram if name in NETWORKS else name[:1]
    return format_html(
        '<abbr class="net {}" title="{}"><span aria-hidden="true">{}</span>'
        '<span class="vh">{}</span></abbr>',
        f"net--{size}" if size else "",
        full,
        short,
        full,
    )


@register.filter
def net_name(name: str) -> str:
    """A network's full name."""
    return _(NETWORKS[name].abilities.label) if name in NETWORKS else name


@register.simple_tag
def tally(count: int | None, you: object = "") -> SafeString:
    """Tally marks, slightly irregular and always the same for a number; the own one in blue."""
    number = count or 0
    dice = random.Random(number * 7 + 3)  # noqa: S311 - a drawing
    x, strokes = 2.0, []

    def wobble(size: float) -> float:
        return dice.uniform(-size, size)

    for k in range(min(number, _MOST_TALLY)):
        if k % _FIVE == _FIVE - 1:
            strokes.append(
                f'<path d="M{x - 21.5 + wobble(0.5):.1f} {16 + wobble(0.8):.1f}'
                f'L{x + 0.2:.1f} {5 + wobble(0.8):.1f}"/>'
            )
            x += 6
        else:
            strokes.append(
                f'<path d="M{x + wobble(0.5):.1f} {2 + wobble(0.8):.1f}'
                f'L{x + wobble(0.7):.1f} {19 + wobble(0.8):.1f}"/>'
            )
            x += 5
    if you:
        strokes.append(f'<path class="you" d="M{x + 2:.1f} 2L{x + 1.4:.1f} 19"/>')
        x += 8
    width = max(math.ceil(x), 6)
    return format_html(
        '<svg viewBox="0 0 {} 21" width="{}" height="21" aria-hidden="true" focusable="false">{}'
        "</svg>",
        width,
        width,
        mark_safe("".join(strokes)),  # noqa: S308 - numbers of ours only
    )


@register.simple_tag
def wordband(runs: Iterable[tuple[str, int]]) -> SafeString:
    """A band of the text's words: house, own and gap, in order."""
    x, boxes = 0.0, []
    for kind, words in runs:
        width = words * 5.0
        boxes.append((kind, f"{x:.1f}", f"{width - 0.8:.1f}"))
        x += width
    return format_html(
        '<svg class="wordband" viewBox="0 0 {} 10" preserveAspectRatio="none" aria-hidden="true"'
        ' focusable="false">{}</svg>',
        f"{max(x - 0.8, 1):.1f}",
        format_html_join("", '<rect class="{}" x="{}" width="{}" height="10"/>', boxes),
    )


@register.simple_tag
def mix(own: int) -> SafeString:
    """A bar of words that are the draft's and words that are people's own, in per cent."""
    width = 100 - own
    return format_html(
        '<svg class="mix" role="img" aria-label="{}" viewBox="0 0 100 8"'
        ' preserveAspectRatio="none"><rect class="h" width="{}" height="8"/>'
        '<rect class="o" x="{}" width="{}" height="8"/></svg>',
        _("%(own)s per cent own words") % {"own": own},
        f"{max(width - 0.6, 0):.1f}",
        f"{width + 0.6:.1f}",
        f"{max(100 - width - 0.6, 0):.1f}",
    )


@register.simple_tag
def initials(name: str, tone: str = "", extra: str = "") -> SafeString:
    """A person's initials; no photo is needed."""
    letters = "".join(part[0] for part in name.split()[:2])
    return format_html(
        '<span class="avatar {}" data-tone="{}" aria-hidden="true">{}</span>', extra, tone, letters
    )


@register.simple_tag
def wordmark() -> SafeString:
    """The name, as a quotation."""
    return mark_safe(
        '<span class="wordmark"><i aria-hidden="true">„</i>Botschaft'
        '<i aria-hidden="true">“</i></span>'
    )


@register.simple_tag
def mark(behaviour: str, stage: str = "active") -> SafeString:
    """A team kind's shape, round, square, triangle or diamond, filled by how far somebody is."""
    shapes = {
        "multiplier": '<circle cx="6" cy="6" r="4.6"/>',
        "contact": '<rect x="1.6" y="1.6" width="8.8" height="8.8" rx="1.4"/>',
        "expert": '<path d="M6 1 11 10.6H1Z"/>',
    }
    shape = shapes.get(behaviour, '<path d="M6 .8 11.200 6 6 11.200.8 6Z"/>')
    return format_html(
        '<svg class="mark mark--{}" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">'
        "{}</svg>",
        stage,
        mark_safe(shape),  # noqa: S308 - shapes of ours
    )


@register.simple_tag
def control(field: BoundField) -> SafeString:
    """A form field's own control, in our dress. Labels, hints and errors stand in the template.

    A placeholder that says what the label says is left out.
    """
    dressed = {"textarea": "textarea", "select": "select", "checkbox": ""}
    attrs: dict[str, Any] = {"class": dressed.get(field.widget_type, "input")}
    if field.field.widget.attrs.get("placeholder") == field.label:
        attrs["placeholder"] = False
    return field.as_widget(attrs=attrs)


@register.filter
def turns_shown(text: str) -> str:
    """Write the name of each sign that turns the direction of reading in its place."""
    return wording.TURNS.sub(lambda sign: f"⟦U+{ord(sign[0]):04X}⟧", text)


@register.filter
def times(count: int) -> range:
    """Repeat a mark."""
    return range(min(count, 120))
