"""Rows of the floor where the newsroom works."""

from .act import Act, ActRow
from .comment import Comment
from .draft import Draft
from .feed import CalendarFeed
from .view import SavedView

__all__ = ["Act", "ActRow", "CalendarFeed", "Comment", "Draft", "SavedView"]
