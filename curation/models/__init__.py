"""Rows of the floor where the newsroom works."""

from .act import Act, ActRow
from .comment import Comment
from .draft import Draft
from .feed import CalendarFeed
from .preview import LinkPreview
from .source import Source, SourceItem, SourceRule
from .tag import TagDay, TagReading, WatchedTag

__all__ = [
    "Act",
    "ActRow",
    "CalendarFeed",
    "Comment",
    "Draft",
    "LinkPreview",
    "Source",
    "SourceItem",
    "SourceRule",
    "TagDay",
    "TagReading",
    "WatchedTag",
]
