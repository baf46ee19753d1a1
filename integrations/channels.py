"""The company's channels: who may write for one."""

import datetime as dt

from django.db import transaction

from ambassadors import audit
from ambassadors.models import Person

from .models import ConnectedAccount


@transaction.atomic
def add_editor(*, channel: ConnectedAccount, editor: Person, by: Person, now: dt.datetime) -> bool:
    """Let somebody write for a channel; tells whether they could not before."""
    if channel.editors.filter(pk=editor.pk).exists():
        return False
    channel.editors.add(editor)
    audit.record("channel.editor_added", channel, by=by, now=now, editor=editor.pk)
    return True


@transaction.atomic
def remove_editor(
    *, channel: ConnectedAccount, editor: Person, by: Person | None, now: dt.datetime
) -> bool:
    """Take the right to write for a channel back; tells whether they had it.

    The DELETE waits for starts that hold the row FOR SHARE. Doors use
    :mod:`campaigns.endings`, which also takes back what the person had queued.
    """
    rows = ConnectedAccount.editors.through.objects.filter(
        connectedaccount_id=channel.pk, person_id=editor.pk
    )
    if not rows.delete()[0]:
        return False
    audit.record("channel.editor_removed", channel, by=by, now=now, editor=editor.pk)
    return True
