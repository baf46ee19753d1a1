"""Nordwind's ideas, requests to join in, campaigns, and a channel that is lent."""

import datetime as dt
import secrets
from typing import Any

from django.conf import settings
from django.db.models import F

from campaigns import takeovers, uploads
from campaigns.models import Activity, Campaign, Post, Proposal, Suggestion, Takeover
from integrations import accounts
from integrations.models import ConnectedAccount
from integrations.networks.base import Identity

from .company import HERE, Company, read


def ideas(company: Company) -> None:
    """What members proposed, some answered already."""
    for row in read("ideas"):
        decided = row["state"] != "new"
        picture = None
        if row["picture"]:
            content = (HERE / "pictures" / row["picture"]).read_bytes()
            picture = uploads.store(uploads.jpeg(content), by=None)
        Proposal.objects.create(
            person=company.people[row["person"]],
            submission=company.key(),
            text=row["text"],
            language=company.people[row["person"]].language,
            picture=picture,
            show_name=row["show_name"],
            state=row["state"],
            created_at=company.ago(row["days_ago"]),
            answer=row.get("answer", ""),
            answered_by=company.people[row["by"]] if decided else None,
            answered_at=company.ago(row["days_ago"] - 1, 11) if decided else None,
            seen_at=company.now if row["state"] == "taken" else None,
            suggestion=company.suggestions[row["suggestion"]] if "suggestion" in row else None,
        )


def activities(company: Company) -> None:
    """What colleagues may do by hand."""
    for row in read("activities"):
        Activity.objects.create(
            kind=row["kind"],
            topic=company.topics[row["topic"]],
            title=row["title"],
            why=row["why"],
            link_url=row["link"],
            ends_at=company.now + dt.timedelta(days=row["days"]),
            submission=company.key(),
            created_by=company.people[row["by"]],
            created_at=company.ago(1),
        )


def campaigns(company: Company) -> None:
    """One that runs, one to come."""
    today = company.now.date()
    for row in read("campaigns"):
        campaign = Campaign.objects.create(
            slug=row["slug"],
            title=row["title"],
            hashtag=row["hashtag"],
            description=row["description"],
            begins_on=today + dt.timedelta(days=row["begins"]),
            ends_on=today + dt.timedelta(days=row["ends"]),
            goal_own_words=row["own_words"],
            goal_conversations=row["conversations"],
            submission=company.key(),
            created_by=company.people[row["by"]],
            created_at=company.ago(25),
            changed_at=company.ago(25),
        )
        Suggestion.objects.filter(slug__in=row["suggestions"]).update(campaign=campaign)
        answered = Post.objects.filter(suggestion__campaign=campaign, replies__isnull=False)
        answered.update(conversations=F("replies"))


def channel(company: Company) -> None:
    """The company's place on the practice wall, and who has it when."""
    token = secrets.token_urlsafe(32)
    lent = accounts.connect(
        person=None,
        by=company.people["piet.lorenzen@nordwind-energie.example"],
        network="wall",
        base_url=settings.PRACTICE_WALL_URL,
        identity=Identity(
            "wall-company", "nordwind", "Nordwind Energie", f"{settings.SITE_URL}/wall/"
        ),
        secrets_={"access_token": token},
        expires_at=None,
        features={"token_sha256": accounts.wall_token_hash(token)},
        now=company.ago(60),
    )
    mirja = company.people["mirja.thomsen@nordwind-energie.example"]
    for row in read("takeovers"):
        _lend(company, row, lent, mirja.pk)


def _lend(company: Company, row: dict[str, Any], lent: ConnectedAccount, mirja: int) -> None:
    person = company.people[row["person"]]
    begins_at = (company.now + dt.timedelta(hours=row["begins_hours"])).replace(
        minute=0, second=0, microsecond=0
    )
    released = row["stage"] == "released"
    takeover = Takeover.objects.create(
        channel=lent,
        person=person,
        begins_at=begins_at,
        ends_at=begins_at + dt.timedelta(hours=row["lasts_hours"]),
        rules=row["rules"],
        submission=company.key(),
        planned_by_id=mirja,
        planned_at=company.ago(3),
        state=row["stage"],
        accepted_at=company.ago(2) if released else None,
        released_at=company.ago(1) if released else None,
        released_by_id=mirja if released else None,
    )
    for text in row["posts"]:
        takeovers.write(
            takeover=takeover,
            text=text,
            picture=None,
            due_at=None,
            submission=company.key(),
            by=person,
            now=company.now,
        )
