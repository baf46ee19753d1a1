"""Where people work: whose holidays count, the site's quiet hours, and days that are free there."""

import datetime as dt

from babel import Locale
from django.db import IntegrityError, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import FreeDay, Person, Site
from campaigns import hours, zones
from campaigns.models import Programme
from campaigns.refusals import FieldRefused

_LONGEST_NAME = 80
_MOST_DAYS = 200


class SiteRefused(FieldRefused):
    """The site stays as it was; the sentence belongs beside ``field``."""


def countries() -> list[tuple[str, str]]:
    """Countries with known holidays, by their names in the reader's language."""
    names = Locale.parse((get_language() or "en")[:2]).territories
    return sorted(((code, names.get(code, code)) for code in hours.countries()), key=lambda c: c[1])


@transaction.atomic
def change(
    *,
    place: Site | Programme,
    zone: str,
    country: str,
    subdivision: str,
    quiet: tuple[int, int] | tuple[None, None],
    by: Person,
    now: dt.datetime,
) -> None:
    """Set clock, country and quiet hours of a site, or of the company for those without one.

    No hours mean the company's, which always has some. Promises given before stay as they were
    given; all else counts from the next look on. Raises :class:`SiteRefused`.
    """
    try:
        name = zones.known(zone)
    except zones.ZoneRefused as refused:
        raise SiteRefused("zone", refused.sentence) from refused
    if country not in hours.countries():
        raise SiteRefused("country", _("Choose a country from the list."))
    if subdivision and subdivision not in hours.subdivisions(country):
        raise SiteRefused("subdivision", _("This part belongs to another country. Choose anew."))
    if isinstance(place, Programme) and quiet[0] is None:
        raise SiteRefused("quiet_from", _("The company needs quiet hours of its own."))
    place.timezone, place.country, place.subdivision = name, country, subdivision
    place.quiet_from_hour, place.quiet_until_hour = quiet  # type: ignore[assignment]
    place.save(
        update_fields=[
            "timezone", "country", "subdivision", "quiet_from_hour", "quiet_until_hour",
        ]
    )  # fmt: skip
    audit.record(
        "hours.changed", place, by=by, now=now,
        country=country, subdivision=subdivision, quiet_from=quiet[0], quiet_until=quiet[1],
    )  # fmt: skip


@transaction.atomic
def add_day(*, site: Site | None, on: dt.date, name: str, by: Person, now: dt.datetime) -> FreeDay:
    """Name a day on which nobody works at a site, or anywhere. Raises :class:`SiteRefused`."""
    name = " ".join(name.replace("\x00", "").split())
    if not name:
        raise SiteRefused("name", _("Say what day it is."))
    if len(name) > _LONGEST_NAME:
        raise SiteRefused("name", _("At most %(most)s characters.") % {"most": _LONGEST_NAME})
    if on < now.date():
        raise SiteRefused("on", _("This day is over."))
    if FreeDay.objects.filter(site=site, on__gte=now.date()).count() >= _MOST_DAYS:
        raise SiteRefused("on", _("These are many free days. Take some away first."))
    try:
        with transaction.atomic():
            day = FreeDay.objects.create(site=site, on=on, name=name)
    except IntegrityError as error:
        raise SiteRefused("on", _("This day stands in the list already.")) from error
    audit.record("free_day.added", day, by=by, now=now, on=on.isoformat())
    return day


@transaction.atomic
def drop_day(*, site: Site | None, day: int, by: Person, now: dt.datetime) -> bool:
    """People work on it again; tells whether it was there."""
    found = FreeDay.objects.filter(site=site, pk=day).first()
    if found is None:
        return False
    audit.record("free_day.dropped", found, by=by, now=now, on=found.on.isoformat())
    found.delete()
    return True
