"""Nordwind's sites, teams, people with their roles and consents, and the rules of disclosure."""

import datetime as dt
from dataclasses import replace
from typing import Any

from allauth.account.models import EmailAddress

from ambassadors import consents
from ambassadors.models import Membership, MembershipStep, Person, Role, Site, Team, TeamKind
from campaigns import disclosure, welcome
from campaigns.models import Programme
from integrations import accounts

from .company import Company, read

# Everybody's password in the demonstration; the one-click logins need none.
PASSWORD = "moin-moin-nordwind"  # noqa: S105 - fictional
_JOINER, _LEAVER = "svea.lund@", "renate.boysen@"  # the one's first day, the other's last soon


def programme() -> None:
    """The one programme."""
    programme = Programme.the()
    programme.name = "Nordwind Energie"
    programme.press_contact = "Pressestelle, 0000 112"
    programme.save()


def people(company: Company) -> None:
    """Sites, kinds, people with roles and consents, teams, memberships with history."""
    sites = {row["slug"]: Site.objects.create(**row) for row in read("sites")}
    kinds = {}
    for row in read("kinds"):
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
    rows = read("people")
    for row in rows:
        company.people[row["email"]] = Person.objects.create(
            email=row["email"],
            password=password.password,
            name=row["name"],
            job_title=row["job_title"],
            site=sites.get(row["site"]),
            language=row["language"],
            languages=row["languages"],
            timezone=row["timezone"],
            interests=row["topics"],
            leaves_on=company.now.date() + dt.timedelta(days=18)
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
            lead=company.people.get(row["lead"]),
            purpose=row["purpose"],
        )
        for row in read("teams")
    }
    for row in rows:
        _belongings(company, row, teams)


def _belongings(company: Company, row: dict[str, Any], teams: dict[str, Team]) -> None:
    """Roles, login address, terms and consents of one person."""
    person = company.people[row["email"]]
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
        consents.give(person=person, purpose=purpose, now=company.ago(60))
    company.walls[person.pk] = accounts.connect_wall(person=person, now=company.ago(60))


def rules(company: Company) -> None:
    """The table of rules, proposed by the newsroom and put in force by the lawyer."""
    lines = [
        disclosure.Rule(
            row["content_class"],
            row["language"],
            row["label"],
            row["position"],
            row["network"],
        )
        for row in read("disclosure")
    ]
    mirja = company.people["mirja.thomsen@nordwind-energie.example"]
    note = "Auf X blieb mit dem langen Satz kaum Platz."
    first = [rule for rule in lines if not rule.network]
    for table, why, day in ((first, "", 90), (lines, note, 30)):
        proposed = disclosure.propose(rules=table, note=why, by=mirja, now=company.ago(day))
        disclosure.put_in_force(table=proposed, by=company.lawyer, now=company.ago(day - 1))
    clearer = [
        replace(rule, label="Anzeige:")
        if (rule.content_class, rule.language) == ("job_ad", "de")
        else rule
        for rule in lines
    ]
    disclosure.propose(
        rules=clearer,
        note="Bei Stellen sagt „Anzeige“ mehr als „Werbung“.",
        by=company.people["dilan.kaya@nordwind-energie.example"],
        now=company.ago(1),
    )
