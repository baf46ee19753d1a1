"""Widgets: who answers under a job ad, on which sites, and what to paste there."""

import datetime as dt
import re
from dataclasses import dataclass
from html import escape

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from ambassadors import audit, tidying
from ambassadors.models import Person, Site
from campaigns.refusals import FieldRefused, fitting

from . import cards, routing
from .models import ContactCard, JobArea, Widget

MOST_SHOWN = 3  # cards in the frame; the rest is a link away
_MOST_ORIGINS = 20
_HEIGHT = 420  # pixels of the frame as we propose it
_ORIGIN = re.compile(
    r"(https|http)://((?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::([0-9]{1,5}))?", re.IGNORECASE
)


class WidgetRefused(FieldRefused):
    """The widget was not saved."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What HR wants of a widget."""

    title: str
    areas: list[JobArea]
    sites: list[Site]
    cards: list[ContactCard]
    origins: list[str]
    theme: str
    language: str
    answer_days: int | None


def origin(typed: str) -> str:
    """A site as a browser names it, ``https://host[:port]``; a ``*.`` stands for all below it.

    Only such a name may reach the header that lets sites show the frame. Raises WidgetRefused.
    """
    text = typed.strip().rstrip("/")
    try:
        ascii_only = "://".join(tidying.host(part) for part in text.split("://"))
    except UnicodeError:
        ascii_only = ""
    found = _ORIGIN.fullmatch(ascii_only)
    local = found is not None and found[2].lower() in {"localhost", "127.0.0.1"}
    wide = found is not None and found[2].startswith("*.") and found[2].count(".") < 2
    if (
        found is None
        or len(found[2]) > 253
        or int(found[3] or 443) > 65_535
        or wide
        or (found[1].lower() == "http" and not local)
    ):
        raise WidgetRefused(
            "origins",
            _("“%(typed)s” is no site. Write it like https://careers.example.com, without a path.")
            % {"typed": typed[:80]},
        )
    return ascii_only.lower()


@transaction.atomic
def save(*, widget: Widget | None, wanted: Wanted, by: Person, now: dt.datetime) -> Widget:
    """Make a widget or change one; changes hold with the next look at it. Raises WidgetRefused."""
    empty = _("Give it a name, such as the job ad’s.")
    title = " ".join(fitting(WidgetRefused, "title", wanted.title, most=100, empty=empty).split())
    origins = list(dict.fromkeys(origin(one) for one in wanted.origins if one.strip()))
    if len(origins) > _MOST_ORIGINS:
        raise WidgetRefused("origins", _("At most %(n)s sites.") % {"n": _MOST_ORIGINS})
    if wanted.answer_days is not None and not 1 <= wanted.answer_days <= 20:
        raise WidgetRefused("answer_days", _("Between 1 and 20 working days."))
    made = widget or Widget(made_by=by)
    made.title, made.origins, made.changed_at = title, origins, now
    made.theme = wanted.theme if wanted.theme in Widget.Theme.values else Widget.Theme.AUTO
    made.language = wanted.language if wanted.language in {"de", "en"} else ""
    made.answer_days = wanted.answer_days
    made.save()
    made.areas.set(wanted.areas)
    made.sites.set(wanted.sites)
    made.cards.set(wanted.cards)
    audit.record("widget.saved", made, by=by, now=now, origins=len(origins))
    return made


@transaction.atomic
def retire(*, widget: Widget, by: Person, now: dt.datetime) -> bool:
    """Take it off every site at once; the frame there stays empty, its link leads to the page."""
    rows = Widget.objects.filter(pk=widget.pk, retired_at__isnull=True)
    if not rows.update(retired_at=now):
        return False
    audit.record("widget.retired", widget, by=by, now=now)
    return True


def standing(key: str) -> Widget | None:
    """The widget with this key, unless it was retired."""
    return Widget.objects.filter(key=key, retired_at__isnull=True).first()


def public(widget: Widget, on: dt.date) -> "QuerySet[ContactCard]":
    """The cards a widget shows on a day."""
    return routing.of_widget(cards.public(on), widget)


@dataclass(frozen=True, slots=True)
class Snippets:
    """What to paste into another site. No name stands in it: names would outlive their card."""

    link: str
    frame: str
    both: str


def snippets(widget: Widget) -> Snippets:
    """Plain link, frame, and the frame with the link under it, which works on every site."""
    suffix = f"&lang={widget.language}" if widget.language else ""
    link = f"{settings.SITE_URL}{reverse('ask')}?w={widget.key}{suffix}"
    frame = f"{settings.SITE_URL}{reverse('widget_frame', args=[widget.key])}"
    words = "Questions? Ask somebody who does the job."
    if widget.language != "en":
        words = "Fragen? Frag jemanden, der den Job macht."
    anchor = f'<p><a href="{escape(link)}">{words}</a></p>'
    iframe = (
        f'<iframe src="{escape(frame)}" title="{words}" width="100%" height="{_HEIGHT}" '
        'frameborder="0" loading="lazy" referrerpolicy="no-referrer" '
        'sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>'
    )
    return Snippets(link=anchor, frame=iframe, both=f"{iframe}\n{anchor}")
