"""What a person may take along of the newsroom (:mod:`ambassadors.takeout`)."""

from django.utils.translation import gettext_noop

from ambassadors.takeout import DELETED, IN_RECORD, NAMELESS, Table, Untold

from .models import Act, Comment, Draft, Source, WatchedTag

TABLES = (
    Table(Draft, "person", gettext_noop("Unsaved drafts"), DELETED, left_out=("key",)),
    Table(Comment, "by", gettext_noop("Remarks on suggestions"), NAMELESS, words=("text",)),
    Table(Act, "by", gettext_noop("Acts on many suggestions"), DELETED),
    Table(Source, "keeper", gettext_noop("Sources you keep"), NAMELESS),
    Table(WatchedTag, "added_by", gettext_noop("Hashtags you added"), NAMELESS),
)
UNTOLD = {
    "curation.CalendarFeed.person": Untold("it holds the number of a secret address", DELETED),
    "curation.Comment.settled_by": Untold(IN_RECORD, NAMELESS),
}
