"""Rows of the floor where the newsroom works."""

from .comment import Comment
from .draft import Draft

__all__ = ["Comment", "Draft"]
