"""How long the rows of this room are kept (:mod:`ambassadors.retention`)."""

from django.utils.translation import gettext_noop

from ambassadors.models import Takeout
from ambassadors.retention import Kept

from . import takeouts

KEPT = (
    Kept(
        name="takeouts",
        title=gettext_noop("Links to their data for people who have left"),
        why=gettext_noop("So that they can take it along. The address goes with the link."),
        days=0,
        least=0,
        most=0,
        rows=lambda before: Takeout.objects.filter(expires_at__lte=before),
        let_go=takeouts.let_go,
    ),
)
