"""Nordwind's ideas, requests to join in, campaigns, and a channel that is lent."""

import datetime as dt
import secrets
import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import F

from campaigns import takeovers, uploads
from campaigns.models import Activity, Campaign, Post, Proposal, Suggestion, Takeover
from integrations import accounts
from integrations.models import ConnectedAccount
from integrations.networks.base import Identity

if TYPE_CHECKING:
    from .load import Loader


def _key(loader: "Loader") -> uuid.UUID:
    return uuid.UUID(int=loader.dice.getrandbits(128))


def ideas(loader: "Loader", rows: list[dict[str, Any]], pictures: Any) -> None:
    """What members proposed, some answered already."""
    for row in rows:
        decided = row["state"] != "new"
        picture = None
        if row["picture"]:
            content = (pictures / row["picture"]).read_bytes()
            picture = uploads.store(uploads.jpeg(content), by=None)
        Proposal.objects.create(
            person=loader.people[row["person"]],
            submission=_key(loader),
            text=row["text"],
            language=loader.people[row["person"]].language,
            picture=picture,
            show_name=row["show_name"],
            state=row["state"],
            created_at=loader.ago(row["days_ago"]),
            answer=row.get("answer", ""),
            answered_by=loader.people[row["by"]] if decided else None,
            answered_at=loader.ago(row["days_ago"] - 1, 11) if decided else None,
            seen_at=loader.now if row["state"] == "taken" else None,
            suggestion=loader.suggestions[row["suggestion"]] if "suggestion" in row else None,
        )


def activities(loader: "Loader", rows: list[dict[str, Any]]) -> None:
    """What colleagues may do by hand."""
    for row in rows:
        Activity.objects.create(
            kind=row["kind"],
            topic=loader.topics[row["topic"]],
            title=row["title"],
            why=row["why"],
            link_url=row["link"],
            ends_at=loader.now + dt.timedelta(days=row["days"]),
            submission=_key(loader),
            created_by=loader.people[row["by"]],
            created_at=loader.ago(1),
        )


def campaigns(loader: "Loader", rows: list[dict[str, Any]]) -> None:
    """One that runs, one to come."""
    today = loader.now.date()
    for row in rows:
        campaign = Campaign.objects.create(
            slug=row["slug"],
            title=row["title"],
            hashtag=row["hashtag"],
            description=row["description"],
            begins_on=today + dt.timedelta(days=row["begins"]),
            ends_on=today + dt.timedelta(days=row["ends"]),
            goal_own_words=row["own_words"],
            goal_conversations=row["conversations"],
            submission=_key(loader),
            created_by=loader.people[row["by"]],
            created_at=loader.ago(25),
            changed_at=loader.ago(25),
        )
        Suggestion.objects.filter(slug__in=row["suggestions"]).update(campaign=campaign)
        answered = Post.objects.filter(suggestion__campaign=campaign, replies__isnull=False)
        answered.update(conversations=F("replies"))


def channel(loader: "Loader", rows: list[dict[str, Any]]) -> None:
    """The company's place on the practice wall, and who has it when."""
    token = secrets.token_urlsafe(32)
    lent = accounts.connect(
        person=None,
        by=loader.people["piet.lorenzen@nordwind-energie.example"],
        network="wall",
        base_url=settings.PRACTICE_WALL_URL,
        identity=Identity(
            "wall-company", "nordwind", "Nordwind Energie", f"{settings.SITE_URL}/wall/"
        ),
        secrets_={"access_token": token},
        expires_at=None,
        features={"token_sha256": accounts.wall_token_hash(token)},
        now=loader.ago(60),
    )
    mirja = loader.people["mirja.thomsen@nordwind-energie.example"]
    for row in rows:
        _lend(loader, row, lent, mirja.pk)


def _lend(loader: "Loader", row: dict[str, Any], lent: ConnectedAccount, mirja: int) -> None:
    person = loader.people[row["person"]]
    begins_at = (loader.now + dt.timedelta(hours=row["begins_hours"])).replace(
        minute=0, second=0, microsecond=0
    )
    released = row["stage"] == "released"
    takeover = Takeover.objects.create(
        channel=lent,
        person=person,
        begins_at=begins_at,
        ends_at=begins_at + dt.timedelta(hours=row["lasts_hours"]),
        rules=row["rules"],
        submission=_key(loader),
        planned_by_id=mirja,
        planned_at=loader.ago(3),
        state=row["stage"],
        accepted_at=loader.ago(2) if released else None,
        released_at=loader.ago(1) if released else None,
        released_by_id=mirja if released else None,
    )
    for text in row["posts"]:
        takeovers.write(
            takeover=takeover,
            text=text,
            picture=None,
            due_at=None,
            submission=_key(loader),
            by=person,
            now=loader.now,
        )
