"""Nordwind Energie: from the JSON files beside this one into rows, relative to now."""

import datetime as dt

from campaigns.models import Post

from . import content, directory, earlier, posts, voices
from .company import Company


def load(*, now: dt.datetime) -> dict[str, int]:
    """Load all of Nordwind; returns how many rows of each kind there are."""
    company = Company(now)
    directory.programme()
    for step in (
        directory.people, directory.rules,
        content.topics, content.briefings, content.suggestions,
        posts.history, earlier.months, posts.planned, posts.pile,
        voices.ideas, voices.activities, voices.campaigns, voices.channel,
    ):  # fmt: skip
        step(company)
    return {
        "people": len(company.people),
        "topics": len(company.topics),
        "suggestions": len(company.suggestions),
        "posts": Post.objects.count(),
    }
