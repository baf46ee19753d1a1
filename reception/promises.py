"""Within how many working days a team answers strangers."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person, Team
from campaigns.refusals import FieldRefused

from .models import Promise


class PromiseRefused(FieldRefused):
    """The promise stays as it was."""


@transaction.atomic
def set_days(*, team: Team, days: int, by: Person, now: dt.datetime) -> None:
    """Promise it from the next question on; what was promised before holds."""
    if not 1 <= days <= 20:
        raise PromiseRefused("answer_days", _("Between 1 and 20 working days."))
    promise, _new = Promise.objects.update_or_create(team=team, defaults={"answer_days": days})
    audit.record("promise.set", promise, by=by, now=now, days=days)
