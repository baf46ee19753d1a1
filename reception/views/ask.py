"""Ask somebody who does the job: the cards, one card, its photo."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from reception import cards
from reception.models import JobArea

from .public import public_page


def _language() -> str:
    return "en" if get_language() == "en" else "de"


@public_page
@require_safe
def ask(request: HttpRequest) -> HttpResponse:
    """Everybody who answers strangers, by area of work."""
    everybody = [cards.shown(card, _language()) for card in cards.public(timezone.localdate())]
    taken = {area.pk for card in everybody for area in card.areas}
    areas = [area for area in JobArea.objects.all() if area.pk in taken]
    asked = request.GET.get("area", "")
    chosen = next((area for area in areas if area.slug == asked), None)
    context: dict[str, Any] = {
        "everybody": everybody,
        "cards": [c for c in everybody if chosen is None or chosen in c.areas],
        "areas": areas,
        "chosen": chosen,
    }
    return render(request, "ask.html", context)


@public_page
@require_safe
def card(request: HttpRequest, key: str) -> HttpResponse:
    """One card. Gone as soon as its person, their yes or their term is."""
    found = cards.public(timezone.localdate()).filter(key=key).first()
    if found is None:
        return render(request, "ask_gone.html", status=404)
    return render(request, "ask_card.html", {"card": cards.shown(found, _language())})


@public_page
@require_safe
def photo(request: HttpRequest, key: str) -> HttpResponse:
    """The photo of a card, while it may be shown; ``?small`` for the widget."""
    content = cards.photo(key, small="small" in request.GET)
    if content is None:
        raise Http404
    response = HttpResponse(content, content_type="image/jpeg")
    response["Content-Security-Policy"] = "sandbox"
    return response
