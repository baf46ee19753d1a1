"""Nordwind's topics, the week's briefings, and suggestions with wordings and pictures."""

import datetime as dt
from typing import Any

from ambassadors import absences
from campaigns import reviews, uploads
from campaigns.models import (
    Approval,
    Briefing,
    BriefingItem,
    LightChange,
    Picture,
    Programme,
    Suggestion,
    Topic,
    Variant,
)

from .company import HERE, Company, read
from .edits import edit


def topics(company: Company) -> None:
    """Topics with their lights; one is on hold."""
    for row in read("topics"):
        owner = company.people.get(row["owner"])
        held = row.get("held")
        topic = company.topics[row["slug"]] = Topic.objects.create(
            slug=row["slug"],
            title=row["title"],
            language=row["language"],
            light_when_free=row["light"],
            own_view=row.get("own_view", False),
            rule=row["rule"],
            say=row["say"],
            leave_out=row["leave_out"],
            if_asked=row["if_asked"],
            facts=[{"fact": fact, "source": row.get("source", "")} for fact in row["facts"]],
            glossary=row.get("glossary", []),
            links=row.get("links", []),
            owner=owner,
            light_since=company.now - dt.timedelta(hours=_light_age(row)),
            held_at=company.now - dt.timedelta(hours=2) if held else None,
            held_by=owner if held else None,
            held_reason=row.get("held_reason", "") if held else "",
        )
        _beside(company, topic, row)


def briefings(company: Company) -> None:
    """The issues of the week, and a draft."""
    for row in read("briefings"):
        _briefing(company, row)


def suggestions(company: Company) -> None:
    """Suggestions with wordings and pictures, how some were edited, and who stands in for whom."""
    for index, row in enumerate(read("suggestions")):
        _suggestion(company, row, index)
    edit(read("edits"), people=company.people, suggestions=company.suggestions, now=company.now)
    ole, mirja = (
        company.people[f"{name}@nordwind-energie.example"]
        for name in ("ole.brodersen", "mirja.thomsen")
    )
    until_on = (company.now + dt.timedelta(days=6)).date()
    absences.go(by=ole, deputy=mirja, until_on=until_on, now=company.ago(1))


def _light_age(row: dict[str, Any]) -> float:
    """Hours since the light that shows when nothing is on hold."""
    changes = [c["hours_ago"] for c in row.get("history", []) if c["after"] != "hold"]
    return float(changes[-1]) if changes else 72.0


def _beside(company: Company, topic: Topic, row: dict[str, Any]) -> None:
    """A topic's deputies, and how its light changed."""
    topic.deputies.set(company.people[email] for email in row.get("deputies", []))
    LightChange.objects.bulk_create(
        LightChange(
            topic=topic,
            at=company.now - dt.timedelta(hours=change["hours_ago"]),
            actor_id=topic.owner_id,
            before=change["before"],
            after=change["after"],
            why=change["why"],
        )
        for change in row.get("history", [])
    )


def _briefing(company: Company, row: dict[str, Any]) -> None:
    """One issue: out at seven of its day, or a draft."""
    zone = Programme.the().zone
    day = company.now.astimezone(zone).date() - dt.timedelta(days=row["days_ago"])
    begin = dt.datetime.combine(day, dt.time(7), zone)
    draft = row.get("draft", False)
    briefing = Briefing.objects.create(
        day=day,
        note=row["note"],
        dial_in=row["dial_in"],
        starts_at=dt.datetime.combine(day, dt.time.fromisoformat(row["starts_at"]), zone),
        contact=company.people.get(row["contact"]),
        publish_at=begin if draft else None,
        published_at=None if draft else min(begin, company.now),
    )
    for position, slug in enumerate(row["topics"]):
        topic = company.topics[slug]
        BriefingItem.objects.create(
            briefing=briefing,
            topic=topic,
            position=position,
            note=row["notes"].get(slug, ""),
            line="" if draft else topic.line,
            rule="" if draft else topic.held_reason or topic.rule,
        )


def _suggestion(company: Company, row: dict[str, Any], index: int) -> None:
    approved = row["state"] == "approved"
    author, approver = company.people[row["author"]], company.people.get(row["approver"] or "")
    link, embargo, expires = row["link"] or {}, row["embargo_days"], row["expires_days"]
    offer = row.get("offer") or {}
    suggestion = Suggestion.objects.create(
        slug=row["slug"],
        topic=company.topics[row["topic"]],
        title=row["title"],
        why=row["why"],
        language=row["language"],
        content_class=row["content_class"],
        tone=row["tone"],
        link_url=link.get("url", ""),
        link_title=link.get("title", ""),
        link_description=link.get("description", ""),
        picture=_picture(row["picture"]),
        prompts=row["prompts"],
        facts=row["facts"],
        leave_out=row["leave_out"],
        audience_languages=[],
        embargo_until=company.ahead(embargo, 9) if embargo else None,
        expires_at=company.ahead(expires + index % 9, 15) if expires else None,
        state=row["state"],
        pattern=row.get("pattern", ""),
        author=author,
        approved_by=approver if approved else None,
        approved_at=company.ago(index / 6) if approved else None,
        changed_at=company.ago(index / 6),
        changed_by=author,
        handed_in_at=company.now - dt.timedelta(hours=3 + 13 * (index % 5)),
        offer_name=offer.get("name", ""),
        offer_terms_url=offer.get("terms", ""),
        offer_ends_on=(company.now + dt.timedelta(days=45)).date() if offer else None,
    )
    if approved and Approval.Kind.LEGAL in reviews.needed(suggestion.content_class):
        Approval.objects.create(
            suggestion=suggestion,
            revision=suggestion.revision,
            kind=Approval.Kind.LEGAL,
            person=company.lawyer,
            given_at=company.ago(index / 6),
        )
    company.suggestions[row["slug"]] = suggestion
    Variant.objects.bulk_create(
        Variant(
            suggestion=suggestion,
            name=variant["name"],
            language=variant["language"],
            network=variant["network"],
            text=variant["text"],
            position=position,
        )
        for position, variant in enumerate(row["variants"])
    )


def _picture(row: dict[str, Any] | None) -> Picture | None:
    if row is None:
        return None
    content = (HERE / "pictures" / row["file"]).read_bytes()
    known = uploads.store(uploads.jpeg(content), by=None)
    Picture.objects.filter(pk=known.pk).update(alt_de=row["alt_de"], alt_en=row["alt_en"])
    return known
