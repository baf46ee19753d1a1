"""What an offer must tell before anybody posts about it (UWG § 5b): name, terms, end."""

import datetime as dt

from django.utils.translation import gettext as _

from .models import Programme, Suggestion
from .models.programme import ContentClass


def missing(suggestion: Suggestion) -> list[tuple[str, str]]:
    """Field and sentence for each fact that a product or offer lacks; empty for other classes."""
    if suggestion.content_class != ContentClass.PRODUCT:
        return []
    found = []
    if not suggestion.offer_name:
        found.append(("offer_name", _("The offer needs its legal name.")))
    if not suggestion.offer_terms_url:
        found.append(("offer_terms_url", _("The offer needs a link to its price and terms.")))
    if suggestion.offer_ends_on is None:
        found.append(("offer_ends_on", _("The offer needs the day until which it is valid.")))
    elif not _ends_with_offer(suggestion):
        found.append(("expires_at", _("The suggestion must end no later than the offer.")))
    return found


def _ends_with_offer(suggestion: Suggestion) -> bool:
    """Tell whether nobody can post about the offer after its last day."""
    day, end = suggestion.offer_ends_on, suggestion.expires_at
    if day is None or end is None:
        return False
    zone = Programme.the().zone
    return end.astimezone(zone).replace(tzinfo=None) <= dt.datetime.combine(day, dt.time.max)
