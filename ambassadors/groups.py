"""What groups of the directory mean here: roles and teams by rules an administrator wrote.

No rule gives the highest role; the table itself refuses one. What somebody was given by hand is
never taken away here.
"""

import datetime as dt
from collections.abc import Iterable

from django.db import transaction

from . import audit, memberships, tidying
from .models import GroupRule, Membership, Person, Role, Team


@transaction.atomic
def add_rule(
    *, group: str, role: str = "", team: Team | None = None, by: Person, now: dt.datetime
) -> GroupRule:
    """Let a group give a role or a team from now on. Raises IntegrityError for a known rule."""
    rule = GroupRule.objects.create(
        group=tidying.key(group), shown=group, role=role, team=team, made_at=now
    )
    audit.record("group.rule_added", rule, by=by, now=now, role=role, team=team.pk if team else 0)
    return rule


@transaction.atomic
def drop_rule(*, rule: GroupRule, by: Person, now: dt.datetime) -> None:
    """The group gives it no longer; who has it keeps it until their groups are read again."""
    audit.record("group.rule_dropped", rule, by=by, now=now, role=rule.role)
    rule.delete()


@transaction.atomic
def follow(*, person: Person, groups: Iterable[str], now: dt.datetime) -> bool:
    """Give what the person's groups give and take what only earlier groups gave.

    ``groups`` are names or ids. A team begins as an invitation, once for each time somebody comes
    into a group: the person decides. Tells whether anything changed.
    """
    # Two answers at once: one after the other.
    before = set(Person.objects.select_for_update().get(pk=person.pk).directory_groups)
    rules = list(GroupRule.objects.filter(group__in={tidying.key(group) for group in groups}))
    changed = _follow_roles(person, {rule.role for rule in rules if rule.role}, now)
    teams = {rule.team_id: rule.group for rule in rules if rule.team_id}
    over = Membership.objects.filter(person=person, by_group=True, ended_on__isnull=True)
    for membership in over.exclude(team__in=teams):
        memberships.end(membership=membership, by=None, now=now, reason="group")
        changed = True
    full = set()
    for team in Team.objects.filter(
        pk__in=[t for t, group in teams.items() if group not in before]
    ):
        try:
            changed |= _invite(person, team, now)
        except memberships.NoPlace:
            full.add(teams[team.pk])  # asked again next time
    seen = sorted({rule.group for rule in rules} - full)
    if seen != sorted(before):
        Person.objects.filter(pk=person.pk).update(directory_groups=seen)
    return changed


def _follow_roles(person: Person, roles: set[str], now: dt.datetime) -> bool:
    held = set(Role.objects.filter(person=person).values_list("name", flat=True))
    given = sorted(roles - held)
    Role.objects.bulk_create(Role(person=person, name=name, by_group=True) for name in given)
    over = Role.objects.filter(person=person, by_group=True).exclude(name__in=roles)
    taken = sorted(over.values_list("name", flat=True))
    over.delete()
    for act, names in (("role.granted", given), ("role.taken", taken)):
        for name in names:
            audit.record(act, person, by=None, now=now, reason="group", role=name)
    return bool(given or taken)


def _invite(person: Person, team: Team, now: dt.datetime) -> bool:
    """Offer a seat to somebody who has none; tells whether it was. Raises ``NoPlace``."""
    if Membership.objects.filter(person=person, team=team, ended_on__isnull=True).exists():
        return False
    term = memberships.begin(
        person=person, team=team, stage=Membership.Stage.INVITED, by=None, now=now
    )
    Membership.objects.filter(pk=term.pk).update(by_group=True)
    return True
