"""My effect: a page and a file of whoever asks; no address leads to another person's."""

from collections.abc import Iterator
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors import sheets
from ambassadors.models import Person
from campaigns import effect as own
from campaigns.models import Post
from integrations.networks import NETWORKS


def effect(request: HttpRequest) -> HttpResponse:
    """What the person's own posts did."""
    person = cast("Person", request.user)
    found = own.of(person, now=timezone.now())
    context: dict[str, Any] = {"effect": found}
    if found.whole:
        context |= {
            "source": _source(found.whole),
            "networks": [(name, sums, _source(sums)) for name, sums in found.networks],
            "months": [
                (first, n, share, 80 - round(share * 0.8), round(share * 0.8))
                for first, n, share in found.months
            ],
        }
    return render(request, "effect.html", context)


def _source(sums: own.Sums) -> str:
    """Where replies and reactions come from."""
    if sums.reported:
        return _("measured or reported by you") if sums.measured else _("reported by you")
    return _("measured")


@require_POST
def export(request: HttpRequest) -> StreamingHttpResponse:
    """The person's posts with their figures, as a file for spreadsheets. Noted nowhere."""
    person, german = cast("Person", request.user), request.POST.get("as") == "excel"
    name = f"my-effect-{timezone.localdate():%Y-%m-%d}"
    return sheets.download(_lines(person), name=name, german=german)


def _lines(person: Person) -> Iterator[list[str]]:
    yield [
        _("Day"), _("Network"), _("Way"), _("Own words, per cent"), _("Conversations"),
        _("Replies"), _("Reactions"), _("Source of these"), _("Clicks, estimated"),
        _("Address"), _("Text"),
    ]  # fmt: skip
    for post in own.posts(person):
        yield _line(person, post)


def _line(person: Person, post: Post) -> list[str]:
    delivery = getattr(post, "delivery", None)
    source = _("measured") if post.measured_at else _("reported by you") if post.reported_at else ""
    known = NETWORKS.get(post.network)
    figures = (post.conversations, post.replies, post.reactions)
    return [
        f"{person.local(post.created_at):%Y-%m-%d %H:%M}",
        _(known.abilities.label) if known else post.network,
        post.get_how_display(),
        str(post.own_share),
        *("" if figure is None else str(figure) for figure in figures),
        source,
        str(post.link.clicks) if post.link else "",
        (delivery.remote_url if delivery else "") or post.reported_url,
        post.text,
    ]
