"""Reports about invitations that did not arrive."""

import datetime as dt
from email.message import EmailMessage

from integrations import bounces

from .models import Invitation
from .states import move_invitation

_BOX = "bounces"


def address_of(pk: int) -> str:
    """Where reports about one invitation come back."""
    return bounces.return_address(_BOX, pk)


def take(message: EmailMessage, *, now: dt.datetime) -> bool:
    """Take a message that came to a return address of ours; tells whether it did.

    *failed* with a status of class 5, or with none, is for good; *failed* with class 4 (the other
    server gave up) and *delayed* are not. Other mail there (out of office) is taken and ignored.
    """
    del now
    pk = bounces.number_of(message, _BOX)
    if pk is None:
        return False
    invitation = Invitation.objects.filter(pk=pk).first()
    if invitation is None:
        return True
    for action, status in bounces.reports(message):
        if action == "failed" and not status.startswith("4"):
            if invitation.state in {"sent", "delayed"}:
                move_invitation(invitation, to="bounced", report=status)
            return True
        if action in {"failed", "delayed"} and invitation.state == "sent":
            move_invitation(invitation, to="delayed", report=status)
            invitation.refresh_from_db(fields=["state"])
    return True
