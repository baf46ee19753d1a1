"""When nothing may reach a person: quiet hours, weekends, holidays, company days, time off.

A person's own setting wins over the site's, and the site's over the company's. Holidays come from
the ``holidays`` library by the site's country and its part.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from ambassadors.models import FreeDay, Person, Site, TimeOff

from .models import Programme
from .refusals import FieldRefused

_SATURDAY = 5
_DAY = dt.timedelta(days=1)
_HOUR = dt.timedelta(hours=1)


@lru_cache(maxsize=256)
def public_holidays(
    country: str, subdivision: str, year: int, language: str = ""
) -> Mapping[dt.date, str]:
    """Public holidays of a year with their names; none where the library knows none.

    The names are in ``language`` where the country has them, else in the country's own.
    """
    known = holidays.list_localized_countries().get(country, [])
    usual = getattr(getattr(holidays, country, None), "default_language", None)
    told = next((code for code in known if code[:2] == language), usual)
    try:
        return dict(
            holidays.country_holidays(
                country, subdiv=subdivision or None, years=year, language=told
            )
        )
    except NotImplementedError:
        return {}


def subdivisions(country: str) -> dict[str, str]:
    """The parts of a country in which holidays differ: their codes, and their names where known."""
    codes = holidays.list_supported_countries().get(country)
    if not codes:
        return {}
    names = {code: name for name, code in getattr(holidays, country).subdivisions_aliases.items()}
    return {code: names.get(code, code) for code in codes}


def countries() -> list[str]:
    """Countries whose holidays the library knows, by their ISO 3166-1 codes."""
    return [code for code in holidays.list_supported_countries() if len(code) == 2]


@dataclass(frozen=True, slots=True)
class Hours:
    """A clock, and the hours and days on it that are quiet.

    ``away`` holds first and last days of a person's time off.
    """

    zone: ZoneInfo
    quiet_from: int
    quiet_until: int
    country: str
    subdivision: str
    own: Mapping[dt.date, str]
    free_days: bool = True
    away: tuple[tuple[dt.date, dt.date], ...] = ()

    def quiet(self, at: dt.datetime) -> bool:
        """Tell whether nothing may reach the person at a moment."""
        local = at.astimezone(self.zone)
        return self.quiet_hour(local.hour) or self.resting(local.date())

    def next_quiet(self, at: dt.datetime, most: dt.timedelta) -> dt.datetime:
        """The first quiet moment from ``at`` on; ``at`` plus ``most`` where it comes later."""
        moment = at
        while moment < at + most and not self.quiet(moment):
            local = moment.astimezone(self.zone)
            moment += _HOUR - dt.timedelta(minutes=local.minute, seconds=local.second)
        return min(moment, at + most)

    def quiet_hour(self, hour: int) -> bool:
        """Tell whether an hour of the day is quiet; the quiet ones may run over midnight."""
        if self.quiet_from <= self.quiet_until:
            return self.quiet_from <= hour < self.quiet_until
        return hour >= self.quiet_from or hour < self.quiet_until

    def off(self, day: dt.date) -> bool:
        """Tell whether a day lies in the person's time off."""
        return any(first <= day <= last for first, last in self.away)

    def resting(self, day: dt.date) -> bool:
        """Tell whether the whole of a day is quiet."""
        return self.off(day) or (self.free_days and self.free(day))

    def free(self, day: dt.date) -> bool:
        """Tell whether nobody works on a day: weekend, public holiday, company day."""
        return day.weekday() >= _SATURDAY or bool(self.day_name(day))

    def day_name(self, day: dt.date, language: str = "") -> str:
        """How a holiday or company day is called, empty for any other day."""
        listed = public_holidays(self.country, self.subdivision, day.year, language)
        return self.own.get(day) or listed.get(day, "")

    def coming(self, day: dt.date, count: int) -> list[tuple[dt.date, str]]:
        """The next free days from ``day`` on that have a name, within a year."""
        language = (get_language() or "")[:2]
        days = (day + n * _DAY for n in range(366))
        named = ((on, self.day_name(on, language)) for on in days)
        return [row for row in named if row[1]][:count]

    def working_day_before(self, day: dt.date) -> dt.date:
        """The last day before on which people work."""
        before = day - _DAY
        while self.free(before):
            before -= _DAY
        return before

    def working_day_after(self, day: dt.date) -> dt.date:
        """The next day after on which people work."""
        after = day + _DAY
        while self.free(after):
            after += _DAY
        return after


class Calendar:
    """Everybody's hours, read in three queries for a whole round of mails or one page."""

    def __init__(
        self, programme: Programme, now: dt.datetime, people: Iterable[Person] | None = None
    ) -> None:
        """Read it. ``people`` narrows whose time off is read; free days begin a week ago."""
        self.programme = programme
        self._sites = Site.objects.in_bulk()
        self._days: dict[int | None, dict[dt.date, str]] = {}
        since = now.date() - 7 * _DAY
        for day in FreeDay.objects.filter(on__gte=since):
            self._days.setdefault(day.site_id, {})[day.on] = day.name
        self._away: dict[int, list[tuple[dt.date, dt.date]]] = {}
        off = TimeOff.objects.standing().filter(until_on__gte=since)
        if people is not None:
            off = off.filter(person__in=[person.pk for person in people if person.pk])
        for row in off:
            self._away.setdefault(row.person_id, []).append((row.from_on, row.until_on))

    def at(self, site: int | None, zone: ZoneInfo | None = None) -> Hours:
        """The hours of a site, or of the company; on the site's own clock unless told another."""
        found, company = self._sites.get(site or 0), self.programme
        own = {**self._days.get(None, {}), **self._days.get(site, {})}
        quiet_from, quiet_until = company.quiet_from_hour, company.quiet_until_hour
        if found and found.quiet_from_hour is not None and found.quiet_until_hour is not None:
            quiet_from, quiet_until = found.quiet_from_hour, found.quiet_until_hour
        here = Person(timezone=found.timezone).zone if found else company.zone
        return Hours(
            zone=zone or here,
            quiet_from=quiet_from,
            quiet_until=quiet_until,
            country=found.country if found else company.country,
            subdivision=found.subdivision if found else company.subdivision,
            own=own,
        )

    def of(self, person: Person) -> Hours:
        """A person's hours: their clock, their site's days, their own quiet hours."""
        hours = self.at(person.site_id, person.zone)
        if person.quiet_from_hour is not None and person.quiet_until_hour is not None:
            hours = replace(
                hours, quiet_from=person.quiet_from_hour, quiet_until=person.quiet_until_hour
            )
        away = tuple(self._away.get(person.pk or 0, ()))
        return replace(hours, free_days=person.quiet_free_days, away=away)


class HoursRefused(FieldRefused):
    """The quiet hours stay as they were."""


def read_hours(quiet_from: str, quiet_until: str) -> tuple[int, int] | tuple[None, None]:
    """Quiet hours as forms send them; both empty means: as elsewhere. Raises HoursRefused."""
    if not quiet_from and not quiet_until:
        return None, None
    for field, typed in (("quiet_from", quiet_from), ("quiet_until", quiet_until)):
        if not (typed.isascii() and typed.isdecimal() and len(typed) < 3 and int(typed) < 24):
            raise HoursRefused(field, _("Choose a full hour from 0 to 23."))
    return int(quiet_from), int(quiet_until)


def set_quiet(*, by: Person, hours: tuple[int, int] | tuple[None, None], free_days: bool) -> None:
    """Set the person's own quiet hours; without hours their site's count.

    Only the person knows it, so nothing of it stands in the record of switches.
    """
    by.quiet_from_hour, by.quiet_until_hour = hours
    by.quiet_free_days = free_days
    by.save(update_fields=["quiet_from_hour", "quiet_until_hour", "quiet_free_days"])


def of(person: Person, now: dt.datetime) -> Hours:
    """One person's hours."""
    return Calendar(Programme.the(), now, [person]).of(person)


def company(now: dt.datetime, zone: ZoneInfo | None = None) -> Hours:
    """The company's hours where no person and no site is meant."""
    return Calendar(Programme.the(), now, []).at(None, zone)
