"""How long the rows of the reception are kept (:mod:`ambassadors.retention`)."""

from django.conf import settings
from django.utils.translation import gettext_noop

from ambassadors.retention import Kept

from . import figures, inquiries, talk_requests
from .models import Inquiry, TalkRequest

KEPT = (
    Kept(
        name="inquiries",
        title=gettext_noop("Questions of strangers, after the last word"),
        why=gettext_noop("So that a conversation can go on. Askers can delete theirs at any time."),
        days=settings.INQUIRY_DAYS,
        least=30,
        most=365,
        rows=lambda before: Inquiry.objects.filter(last_at__lt=before),
        let_go=inquiries.let_go,
    ),
    Kept(
        name="talk_requests",
        title=gettext_noop("Talk requests, after their end"),
        why=gettext_noop("So that a speaker can be thanked and asked again."),
        days=settings.TALK_REQUEST_DAYS,
        least=30,
        most=730,
        rows=lambda before: TalkRequest.objects.filter(ended_at__lt=before),
        let_go=talk_requests.let_go,
    ),
)
CLOSES = (figures.close_months,)
