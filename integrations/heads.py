"""The day's head of the record goes where whoever changes the database cannot reach it."""

import logging

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from ambassadors import chain

from . import mails

log = logging.getLogger(__name__)


def tell() -> int:
    """Seal, log the head, and mail it to AUDIT_HEADS_TO; returns how many mails left."""
    chain.seal()
    head = chain.head()
    log.info("head of the record: %s", head or "none yet")
    if not head:
        return 0
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("The record of %(company)s, head %(number)s") % {
            "company": settings.ORGANISATION,
            "number": head.partition(":")[0],
        }
        text = _(
            "Keep this mail. Its head proves that nothing of the record up to now was changed or is"
            " missing:\n\n%(head)s\n\n"
            "To look: manage.py verify_audit --head %(head)s\n\n"
            "It says nothing about anybody."
        ) % {"head": head}
    return sum(
        mails.send_to(address, subject, text, about="the record's head")
        for address in settings.AUDIT_HEADS_TO
    )
