"""Nordwind Energie: from the JSON files beside this one into rows, relative to now."""

import datetime as dt
import hashlib
import json
import random
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress

from ambassadors import absences, consents
from ambassadors.models import (
    Membership,
    MembershipStep,
    Note,
    Person,
    Role,
    Site,
    Team,
    TeamKind,
)
from campaigns import disclosure, links, reviews, uploads, welcome, wording
from campaigns.models import (
    Approval,
    Briefing,
    BriefingItem,
    ClickDay,
    Delivery,
    LightChange,
    Picture,
    Post,
    Programme,
    Reading,
    ShortLink,
    Suggestion,
    Topic,
    Variant,
)
from integrations import accounts
from integrations.models import ConnectedAccount, WallPost
from integrations.networks import get
from integrations.networks.bluesky import make_tid

from . import earlier, voices
from .edits import edit

HERE = Path(__file__).parent
# Everybody's password in the demonstration; the one-click logins need none.
PASSWORD = "moin-moin-nordwind"  # noqa: S105 - fictional
_JOINER, _LEAVER = "svea.lund@", "renate.boysen@"  # the one's first day, the other's last soon
# What nine people have to say about a building site at noon.
_NOONS = (
    "Ich habe die Kabel gezogen, Meter für Meter.",
    "Mein Platz war im Container, am Telefon.",
    "Ich war nur zu Besuch und hatte danach drei Tage Wind in den Ohren.",
    "Von mir sind die Fundamentpläne, die keiner sieht.",
    "Meine Schicht begann um vier.",
    "Ich habe mit den Nachbarn geredet, oft und lange.",
    "Am Ende habe ich den Schalter nicht gedrückt, aber danebengestanden.",
    "Mein Vater hat gefragt, ob das jetzt unser Strom ist.",
    "Ich habe gerechnet, bis die Statik stimmte.",
)


def _read(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    return rows


class Loader:
    """One run; keeps the rows it made by their natural keys."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now
        self.dice = random.Random(2711)  # noqa: S311 - equal data on every run
        self.people: dict[str, Person] = {}
        self.topics: dict[str, Topic] = {}
        self.suggestions: dict[str, Suggestion] = {}
        self.walls: dict[int, ConnectedAccount] = {}

    def ago(self, days: float, hour: int = 9) -> dt.datetime:
        """An instant some days back at an hour of the day, never in the future."""
        moment = (self.now - dt.timedelta(days=days)).replace(hour=hour, minute=12, second=0)
        return min(moment, self.now - dt.timedelta(minutes=20))

    def programme(self) -> None:
        """The one programme, and the rules of disclosure."""
        programme = Programme.the()
        programme.name = "Nordwind Energie"
        programme.press_contact = "Pressestelle, 0000 112"
        programme.save()

    def disclosure(self) -> None:
        """The table of rules, proposed by the newsroom and put in force by the lawyer."""
        rules = [
            disclosure.Rule(
                row["content_class"],
                row["language"],
                row["label"],
                row["position"],
                row["network"],
            )
            for row in _read("disclosure")
        ]
        mirja = self.people["mirja.thomsen@nordwind-energie.example"]
        note = "Auf X blieb mit dem langen Satz kaum Platz."
        first = [rule for rule in rules if not rule.network]
        for lines, why, day in ((first, "", 90), (rules, note, 30)):
            table = disclosure.propose(rules=lines, note=why, by=mirja, now=self.ago(day))
            disclosure.put_in_force(table=table, by=self._lawyer, now=self.ago(day - 1))
        clearer = [
            replace(rule, label="Anzeige:")
            if (rule.content_class, rule.language) == ("job_ad", "de")
            else rule
            for rule in rules
        ]
        disclosure.propose(
            rules=clearer,
            note="Bei Stellen sagt „Anzeige“ mehr als „Werbung“.",
            by=self.people["dilan.kaya@nordwind-energie.example"],
            now=self.ago(1),
        )

    @property
    def _lawyer(self) -> Person:
        """Who gives the second look."""
        return next(p for p in self.people.values() if p.has_role("legal"))

    def directory(self) -> None:
        """Sites, kinds, people with roles and consents, teams, memberships with history."""
        sites = {row["slug"]: Site.objects.create(**row) for row in _read("sites")}
        kinds = {}
        for row in _read("kinds"):
            kinds[row["slug"]] = TeamKind.objects.create(
                slug=row["slug"],
                behaviour=row["behaviour"],
                name_de=row["name_de"],
                name_en=row["name_en"],
                profile_de=row["profile_de"],
                profile_en=row["profile_en"],
                tasks=row["tasks"],
                hours_per_month=row["capacity_hours"],
            )
        password = Person()
        password.set_password(PASSWORD)
        rows = _read("people")
        for row in rows:
            self.people[row["email"]] = Person.objects.create(
                email=row["email"],
                password=password.password,
                name=row["name"],
                job_title=row["job_title"],
                site=sites.get(row["site"]),
                language=row["language"],
                languages=row["languages"],
                timezone=row["timezone"],
                interests=row["topics"],
                leaves_on=self.now.date() + dt.timedelta(days=18)
                if row["email"].startswith(_LEAVER)
                else None,
                welcome=welcome.NEW if row["email"].startswith(_JOINER) else welcome.OVER,
            )
        teams = {
            row["slug"]: Team.objects.create(
                slug=row["slug"],
                name=row["name"],
                kind=kinds[row["kind"]],
                site=sites.get(row["site"] or ""),
                lead=self.people.get(row["lead"]),
                purpose=row["purpose"],
            )
            for row in _read("teams")
        }
        for row in rows:
            self._belongings(row, teams)

    def _belongings(self, row: dict[str, Any], teams: dict[str, Team]) -> None:
        """Roles, login address, terms and consents of one person."""
        person = self.people[row["email"]]
        EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
        Role.objects.bulk_create(Role(person=person, name=name) for name in row["roles"])
        for term in row["teams"]:
            started = dt.date.fromisoformat(term["started_on"])
            ended = dt.date.fromisoformat(term["ended_on"]) if term["ended_on"] else None
            membership = Membership.objects.create(
                person=person,
                team=teams[term["team"]],
                stage=term["stage"],
                stage_since_on=ended or started,
                started_on=started,
                ended_on=ended,
            )
            MembershipStep.objects.create(
                membership=membership, stage=term["stage"], since_on=ended or started
            )
        for purpose in ("publish", "engagement", "roster"):
            consents.give(person=person, purpose=purpose, now=self.ago(60))
        self.walls[person.pk] = accounts.connect_wall(person=person, now=self.ago(60))

    def content(self) -> None:
        """Topics, the week's briefings, suggestions with wordings and pictures."""
        for row in _read("topics"):
            owner = self.people.get(row["owner"])
            held = row.get("held")
            topic = self.topics[row["slug"]] = Topic.objects.create(
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
                light_since=self.now - dt.timedelta(hours=self._light_age(row)),
                held_at=self.now - dt.timedelta(hours=2) if held else None,
                held_by=owner if held else None,
                held_reason=row.get("held_reason", "") if held else "",
            )
            self._beside(topic, row)
        for row in _read("briefings"):
            self._briefing(row)
        for index, row in enumerate(_read("suggestions")):
            self._suggestion(row, index)
        edit(_read("edits"), people=self.people, suggestions=self.suggestions, now=self.now)
        ole, mirja = (
            self.people[f"{name}@nordwind-energie.example"]
            for name in ("ole.brodersen", "mirja.thomsen")
        )
        until_on = (self.now + dt.timedelta(days=6)).date()
        absences.go(by=ole, deputy=mirja, until_on=until_on, now=self.ago(1))

    def _light_age(self, row: dict[str, Any]) -> float:
        """Hours since the light that shows when nothing is on hold."""
        changes = [c["hours_ago"] for c in row.get("history", []) if c["after"] != "hold"]
        return float(changes[-1]) if changes else 72.0

    def _beside(self, topic: Topic, row: dict[str, Any]) -> None:
        """A topic's deputies, and how its light changed."""
        topic.deputies.set(self.people[email] for email in row.get("deputies", []))
        LightChange.objects.bulk_create(
            LightChange(
                topic=topic,
                at=self.now - dt.timedelta(hours=change["hours_ago"]),
                actor_id=topic.owner_id,
                before=change["before"],
                after=change["after"],
                why=change["why"],
            )
            for change in row.get("history", [])
        )

    def _briefing(self, row: dict[str, Any]) -> None:
        """One issue: out at seven of its day, or a draft."""
        zone = Programme.the().zone
        day = self.now.astimezone(zone).date() - dt.timedelta(days=row["days_ago"])
        begin = dt.datetime.combine(day, dt.time(7), zone)
        draft = row.get("draft", False)
        briefing = Briefing.objects.create(
            day=day,
            note=row["note"],
            dial_in=row["dial_in"],
            starts_at=dt.datetime.combine(day, dt.time.fromisoformat(row["starts_at"]), zone),
            contact=self.people.get(row["contact"]),
            publish_at=begin if draft else None,
            published_at=None if draft else min(begin, self.now),
        )
        for position, slug in enumerate(row["topics"]):
            topic = self.topics[slug]
            BriefingItem.objects.create(
                briefing=briefing,
                topic=topic,
                position=position,
                note=row["notes"].get(slug, ""),
                line="" if draft else topic.line,
                rule="" if draft else topic.held_reason or topic.rule,
            )

    def _suggestion(self, row: dict[str, Any], index: int) -> None:
        approved = row["state"] == "approved"
        author, approver = self.people[row["author"]], self.people.get(row["approver"] or "")
        link, embargo, expires = row["link"] or {}, row["embargo_days"], row["expires_days"]
        offer = row.get("offer") or {}
        suggestion = Suggestion.objects.create(
            slug=row["slug"],
            topic=self.topics[row["topic"]],
            title=row["title"],
            why=row["why"],
            language=row["language"],
            content_class=row["content_class"],
            tone=row["tone"],
            link_url=link.get("url", ""),
            link_title=link.get("title", ""),
            link_description=link.get("description", ""),
            picture=self._picture(row["picture"]),
            prompts=row["prompts"],
            facts=row["facts"],
            leave_out=row["leave_out"],
            audience_languages=[],
            embargo_until=self._ahead(embargo, 9) if embargo else None,
            expires_at=self._ahead(expires + index % 9, 15) if expires else None,
            state=row["state"],
            pattern=row.get("pattern", ""),
            author=author,
            approved_by=approver if approved else None,
            approved_at=self.ago(index / 6) if approved else None,
            changed_at=self.ago(index / 6),
            changed_by=author,
            handed_in_at=self.now - dt.timedelta(hours=3 + 13 * (index % 5)),
            offer_name=offer.get("name", ""),
            offer_terms_url=offer.get("terms", ""),
            offer_ends_on=(self.now + dt.timedelta(days=45)).date() if offer else None,
        )
        if approved and Approval.Kind.LEGAL in reviews.needed(suggestion.content_class):
            Approval.objects.create(
                suggestion=suggestion,
                revision=suggestion.revision,
                kind=Approval.Kind.LEGAL,
                person=self._lawyer,
                given_at=self.ago(index / 6),
            )
        self.suggestions[row["slug"]] = suggestion
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

    def _ahead(self, days: int, hour: int) -> dt.datetime:
        """An hour of a coming day."""
        return (self.now + dt.timedelta(days=days)).replace(hour=hour, minute=0, second=0)

    def _picture(self, row: dict[str, Any] | None) -> Picture | None:
        if row is None:
            return None
        content = (HERE / "pictures" / row["file"]).read_bytes()
        known = uploads.store(uploads.jpeg(content), by=None)
        Picture.objects.filter(pk=known.pk).update(alt_de=row["alt_de"], alt_en=row["alt_en"])
        return known

    def history(self) -> None:
        """Posts with what came back, notes, and the practice wall."""
        for row in _read("posts"):
            self._post(row)
        for row in _read("notes"):
            Note.objects.create(
                person=self.people[row["person"]],
                text=row["text"],
                created_at=self.ago(row["days_ago"]),
            )
        for row in _read("wall"):
            person = self.people[row["person"]]
            WallPost.objects.create(
                account=self.walls[person.pk],
                key=uuid.UUID(int=self.dice.getrandbits(128)),
                text=row["text"],
                likes=row.get("likes", 0),
                created_at=self.ago(row["days_ago"]),
            )

    def _post(self, row: dict[str, Any]) -> None:
        """One past post; published ones stand on the practice wall or a past account."""
        person, suggestion = self.people[row["person"]], self.suggestions[row["suggestion"]]
        variant = max(
            suggestion.variant_set.all(),
            key=lambda v: -wording.voice(v.text, row["text"]).percent,
        )
        country = disclosure.country_of(person)
        label = disclosure.label_for(suggestion, row["network"], variant.language, country)
        at = self.ago(row["days_ago"], row["hour"])
        published = row["how"] == "published" and get(row["network"]).abilities.can_publish
        figures = row.get("figures") or {} if published else {}
        link = self.clicked(suggestion, row["network"], at)
        full = disclosure.complete(row["text"], label, "")
        post = Post.objects.create(
            person=person,
            suggestion=suggestion,
            variant=variant,
            network=row["network"],
            how=row["how"] if published or row["how"] != "published" else "opened",
            submission=uuid.UUID(int=self.dice.getrandbits(128)),
            text=row["text"],
            full_text=full,
            language=variant.language,
            draft=variant.text,
            own_share=wording.voice(variant.text, row["text"]).percent,
            sha256=wording.fingerprint(full),
            disclosure_label=label.text,
            disclosure_version=label.version,
            content_class=suggestion.content_class,
            country=country,
            suggestion_revision=suggestion.revision,
            link=link,
            created_at=at,
            likes=figures.get("likes"),
            reposts=figures.get("reposts"),
            replies=figures.get("replies"),
            measured_at=self.now if figures else None,
        )
        if published:
            self.sent(post, at)

    def clicked(self, suggestion: Suggestion, network: str, at: dt.datetime) -> ShortLink | None:
        """The link of a past post; most people come on its first day, and fewer on each after."""
        if not suggestion.link_url:
            return None
        link = ShortLink.objects.create(
            code=f"n{self.dice.getrandbits(40):x}"[:12],
            target=suggestion.link_url,
            tags=links.tags(suggestion, network),
            clicks=self.dice.randrange(0, 40),
        )
        day, today, left = at.date(), self.now.date(), link.clicks
        while left:
            count = left if day == today else (left + 1) // 2
            ClickDay.objects.create(link=link, day=day, count=count)
            day, left = day + dt.timedelta(days=1), left - count
        return link

    def sent(self, post: Post, at: dt.datetime) -> None:
        """The delivery of a past post, and one reading; it is not measured again."""
        account = self._account(post)
        key = uuid.UUID(int=self.dice.getrandbits(128))
        remote = f"past-{key}"
        Delivery.objects.create(
            post=post,
            account=account,
            key=key,
            rkey=make_tid(int(at.timestamp() * 1e6), self.dice.getrandbits(10)),
            written_at=at,
            due_at=at,
            not_after=at + dt.timedelta(days=1),
            state="sent",
            remote_id=remote,
            sent_at=at,
        )
        Reading.objects.create(
            post=post,
            read_at=self.now,
            likes=post.likes,
            reposts=post.reposts,
            replies=post.replies,
        )

    def planned(self) -> None:
        """Posts that people have set for the coming days, on the practice wall."""
        live = [s for s in self.suggestions.values() if s.is_live(self.now)][:5]
        own = "Mein Satz dazu kommt morgens, mit Kaffee."
        for index, person in enumerate(list(self.people.values())[5:21]):
            variant = live[index % len(live)].variant_set.all()[0]
            text = wording.GAP.sub(own, variant.text)
            post = self._text_of(person, variant, text)
            due_at = (self.now + dt.timedelta(days=1 + index % 4)).replace(
                hour=(6, 8, 10, 11)[index % 4], minute=15
            )
            Delivery.objects.create(
                post=post,
                account=self.walls[person.pk],
                rkey=make_tid(int(due_at.timestamp() * 1e6), self.dice.getrandbits(10)),
                written_at=self.now,
                due_at=due_at,
                not_after=due_at + dt.timedelta(days=1),
            )

    def pile(self) -> None:
        """Nine who speak on one topic at one noon; most of them left the moment to Botschaft."""
        variant = next(
            s for s in self.suggestions.values() if s.is_live(self.now)
        ).variant_set.all()[0]
        day = (self.now + dt.timedelta(days=1)).date()
        while day.weekday() > 4:
            day += dt.timedelta(days=1)
        noon = dt.datetime.combine(day, dt.time(12, 15), Programme.the().zone)
        for index, person in enumerate(list(self.people.values())[21:30]):
            post = self._text_of(person, variant, wording.GAP.sub(_NOONS[index], variant.text))
            Delivery.objects.create(
                post=post,
                account=self.walls[person.pk],
                rkey=make_tid(int(noon.timestamp() * 1e6), self.dice.getrandbits(10)),
                written_at=self.now,
                due_at=noon,
                movable=index % 4 > 0,
                not_after=noon + dt.timedelta(days=1),
            )

    def _text_of(self, person: Person, variant: Variant, text: str) -> Post:
        """A post for the practice wall, as the composer would write it."""
        country = disclosure.country_of(person)
        label = disclosure.label_for(variant.suggestion, "wall", variant.language, country)
        full = disclosure.complete(text, label, "")
        return Post.objects.create(
            person=person,
            suggestion=variant.suggestion,
            variant=variant,
            network="wall",
            how=Post.How.PUBLISHED,
            submission=uuid.UUID(int=self.dice.getrandbits(128)),
            text=text,
            full_text=full,
            language=variant.language,
            draft=variant.text,
            own_share=wording.voice(variant.text, text).percent,
            sha256=wording.fingerprint(full),
            disclosure_label=label.text,
            disclosure_version=label.version,
            content_class=variant.suggestion.content_class,
            country=country,
            suggestion_revision=variant.suggestion.revision,
            created_at=self.now,
        )

    def _account(self, post: Post) -> ConnectedAccount:
        """The practice wall, or an account the person has disconnected since."""
        if post.network == "wall":
            return self.walls[post.person_id]
        digest = hashlib.sha256(f"{post.network}{post.person_id}".encode()).hexdigest()[:12]
        return ConnectedAccount.objects.get_or_create(
            person=post.person,
            network=post.network,
            remote_id=digest,
            defaults={
                "base_url": "https://norden.example",
                "handle": f"@{post.person.first_name.lower()}@norden.example",
                "connected_at": self.ago(90),
                "disconnected_at": self.ago(1),
            },
        )[0]


def load(*, now: dt.datetime) -> dict[str, int]:
    """Load all of Nordwind; returns how many rows of each kind there are."""
    loader = Loader(now)
    loader.programme()
    loader.directory()
    loader.disclosure()
    loader.content()
    loader.history()
    earlier.load(loader, json.loads((HERE / "earlier.json").read_text(encoding="utf-8")))
    loader.planned()
    loader.pile()
    voices.ideas(loader, _read("ideas"), HERE / "pictures")
    voices.activities(loader, _read("activities"))
    voices.campaigns(loader, _read("campaigns"))
    voices.channel(loader, _read("takeovers"))
    return {
        "people": len(loader.people),
        "topics": len(loader.topics),
        "suggestions": len(loader.suggestions),
        "posts": Post.objects.count(),
    }
