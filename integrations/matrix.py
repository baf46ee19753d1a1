"""What Botschaft can do on which network, from the code: for the page and for the docs."""

from collections.abc import Callable

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .networks import NETWORKS
from .networks.abilities import Abilities, Quota

_MEGA = 1_000_000
_DAY, _HOUR, _MONTH = 86_400, 3600, 28 * 86_400


def _number(value: float) -> str:
    """As people write it: grouped, without an empty decimal place."""
    return number_format(int(value) if value == int(value) else value, force_grouping=True)


def yes(value: object) -> str:
    """Yes or no."""
    return _("yes") if value else _("no")


def _words(values: tuple[str, ...]) -> str:
    words = {
        "likes": _("likes"), "reposts": _("reposts"), "replies": _("replies"),
        "quotes": _("quotes"), "impressions": _("impressions"), "person": _("people"),
        "company": _("the company"), "public": _("public"), "unlisted": _("unlisted"),
        "private": _("followers only"), "connections": _("contacts only"),
    }  # fmt: skip
    return ", ".join(words.get(value, value) for value in values) or "–"


def _connect(able: Abilities) -> str:
    ways = {
        "oauth": _("yes at the network"),
        "password": _("app password"),
        "own": _("from the first day"),
    }
    return ways.get(able.connect, _("by hand only"))


def _limit(able: Abilities) -> str:
    units = {
        "grapheme": _("characters as people count"),
        "weighted": _("weighted characters"),
        "character": _("characters"),
        "byte": _("characters, emoji by bytes"),
    }
    text = f"{_number(able.limit)} {units.get(able.unit, able.unit)}"
    if able.byte_limit:
        text += ", " + _("%(n)s bytes") % {"n": _number(able.byte_limit)}
    return text


def _pictures(able: Abilities) -> str:
    if not able.pictures:
        return "–"
    text = ngettext("up to %(n)s", "up to %(n)s", able.pictures) % {"n": able.pictures}
    if able.picture_bytes:
        text += ", " + _("%(n)s MB each") % {"n": _number(round(able.picture_bytes / _MEGA, 1))}
    if able.needs_picture:
        text += ", " + _("at least one")
    return text


def _ambiguous(able: Abilities) -> str:
    if not able.can_publish:
        return "–"
    if able.idempotent:
        return _("sends again; the network makes it one post")
    return _("looks, then asks you") if able.can_look else _("asks you")


def _granted(able: Abilities, what: str, text: str) -> str:
    if what not in able.by_grant:
        return text
    return _("%(what)s; where the network allows it to your company") % {"what": text}


def _quota(quota: Quota) -> str:
    whose = _("per account") if quota.whose == "account" else _("for all of us")
    if quota.seconds >= _MONTH:
        span = _("a month")
    elif quota.seconds >= _DAY:
        span = _("a day")
    elif quota.seconds >= _HOUR:
        span = _("an hour")
    else:
        span = _("in %(n)s minutes") % {"n": quota.seconds // 60}
    return _("%(n)s calls %(span)s %(whose)s") % {
        "n": _number(quota.calls),
        "span": span,
        "whose": whose,
    }


def _price(able: Abilities) -> str:
    if able.price is None:
        return _("nothing")
    return _("$%(post)s a post, $%(link)s with a link, $%(read)s a reading") % {
        "post": f"{able.price.post / _MEGA:.2f}",
        "link": f"{able.price.post_with_link / _MEGA:.2f}",
        "read": f"{able.price.read / _MEGA:.3f}",
    }


def _facts() -> list[tuple[str, Callable[[Abilities], str]]]:
    """The lines of the table: their words, and how each reads an ability."""
    return [
        (_("Publishes for you"), lambda n: yes(n.can_publish)),
        (_("For whom"), lambda n: _words(n.for_whom)),
        (_("How it is connected"), _connect),
        (_("Administrator must set it up"), lambda n: yes(n.app_needed)),
        (_("Longest text"), _limit),
        (_("A link counts"), lambda n: str(n.url_length) if n.url_length else _("in full")),
        (_("Pictures"), _pictures),
        (
            _("Alternative text"),
            lambda n: (
                _("up to %(n)s characters") % {"n": _number(n.alt_limit)} if n.alt_limit else "–"
            ),
        ),
        (_("Documents"), lambda n: yes(n.documents)),
        (_("Threads"), lambda n: yes(n.threads)),
        (_("Content warnings"), lambda n: yes(n.warnings)),
        (_("Who can see it"), lambda n: _words(n.visibilities)),
        (_("Same text twice"), lambda n: _("allowed") if n.identical_texts else _("refused")),
        (_("When the line breaks"), _ambiguous),
        (_("Looks whether it arrived"), lambda n: _granted(n, "look", yes(n.can_look))),
        (_("Counts"), lambda n: _granted(n, "measure", _words(n.counts))),
        (_("Counts replies you answered"), lambda n: yes(n.can_converse)),
        (_("Changes a post"), lambda n: yes(n.can_edit)),
        (_("Deletes a post"), lambda n: yes(n.can_remove)),
        (_("Limits"), lambda n: "; ".join(map(_quota, n.quotas)) or _("as the network says")),
        (_("Costs"), _price),
    ]


def table() -> tuple[list[Abilities], list[tuple[str, list[str]]]]:
    """Networks in their order, and for each fact one cell for each of them."""
    networks = [network.abilities for network in NETWORKS.values()]
    return networks, [(label, [cell(n) for n in networks]) for label, cell in _facts()]


def markdown() -> str:
    """The table for ``docs/networks.md``."""
    networks, rows = table()
    head = [_("Fact"), *(n.label for n in networks)]
    lines = [head, ["---"] * len(head), *([label, *cells] for label, cells in rows)]
    body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return (
        "# What Botschaft can do on which network\n\n"
        "Written from the code by `manage.py write_network_table`; a test fails when it is out of"
        f" date.\n\n{body}\n"
    )
