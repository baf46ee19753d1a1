"""How the curators of Nordwind wrote on one draft, two of them at the same time."""

import copy
import datetime as dt
from typing import Any

from ambassadors.models import Person
from campaigns import contents, versions
from campaigns.models import Suggestion, Version


def edit(
    rows: list[dict[str, Any]],
    *,
    people: dict[str, Person],
    suggestions: dict[str, Suggestion],
    now: dt.datetime,
) -> None:
    """Save the edits in order, as the editor would; the last one loses its race."""
    for row in rows:
        suggestion = suggestions[row["suggestion"]]
        suggestion.refresh_from_db()
        seen = Version.objects.filter(suggestion=suggestion, revision=row["seen"]).first()
        mine = copy.deepcopy(seen.content if seen else contents.stored(suggestion))
        mine["fields"] |= row["fields"]
        for wording in mine["wordings"]:
            wording["text"] = row["texts"].get(wording["name"], wording["text"])
        versions.write(
            suggestion=suggestion,
            mine=mine,
            seen_revision=row["seen"],
            submission=None,
            by=people[row["person"]],
            now=now - dt.timedelta(minutes=row["minutes_ago"]),
        )
