"""What a person may take along of accounts and the practice wall (:mod:`ambassadors.takeout`)."""

from django.utils.translation import gettext_noop

from ambassadors.takeout import DELETED, IN_RECORD, NAMELESS, Table, Untold

from .models import ApiToken, ConnectedAccount, PushDevice, WallPost

TABLES = (
    # ``features`` holds what a server can do, and a hash of the practice wall's key.
    Table(
        ConnectedAccount,
        "person",
        gettext_noop("Connected accounts"),
        DELETED,
        left_out=("features",),
        names=("handle", "profile_url"),
    ),
    Table(
        ConnectedAccount,
        "editors",
        gettext_noop("Channels you write for"),
        NAMELESS,
        left_out=("features",),
    ),
    Table(
        PushDevice,
        "person",
        gettext_noop("Devices that are notified"),
        DELETED,
        left_out=("digest", "sealed", "key_id"),
    ),
    Table(
        ApiToken,
        "person",
        gettext_noop("Keys you made for programs"),
        DELETED,
        left_out=("digest",),
    ),
    Table(WallPost, "account__person", gettext_noop("Practice wall"), DELETED, left_out=("key",)),
)
UNTOLD = {
    "integrations.ChatRoom.added_by": Untold(IN_RECORD, NAMELESS),
    "integrations.ConnectedAccount.added_by": Untold(IN_RECORD, NAMELESS),
    "integrations.ConnectAttempt.person": Untold(
        "it holds secrets of ten minutes and is deleted afterwards", DELETED
    ),
    "integrations.Webhook.made_by": Untold(IN_RECORD, NAMELESS),
    "integrations.Instance.confirmed_by": Untold(IN_RECORD, NAMELESS),
}
