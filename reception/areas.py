"""Areas of work that strangers ask about."""

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person
from campaigns.refusals import FieldRefused, fitting

from .models import JobArea


class AreaRefused(FieldRefused):
    """The area was not added."""


def add(*, name_de: str, name_en: str, by: Person, now: dt.datetime) -> JobArea:
    """Add an area at the end. Raises :class:`AreaRefused`."""
    empty = _("Write a name in both languages.")
    german = " ".join(fitting(AreaRefused, "name_de", name_de, most=60, empty=empty).split())
    english = " ".join(fitting(AreaRefused, "name_en", name_en, most=60, empty=empty).split())
    slug = slugify(english)[:50]
    if not slug:
        raise AreaRefused("name_en", empty)
    try:
        with transaction.atomic():
            area = JobArea.objects.create(
                slug=slug, name_de=german, name_en=english, position=JobArea.objects.count()
            )
            audit.record("area.added", area, by=by, now=now)
    except IntegrityError as error:
        raise AreaRefused("name_en", _("This area exists already.")) from error
    return area


@transaction.atomic
def remove(*, slug: str, by: Person, now: dt.datetime) -> bool:
    """Take an area away from cards, widgets and filters; questions about it stay."""
    area = JobArea.objects.filter(slug=slug).first()
    if area is None:
        return False
    audit.record("area.removed", area, by=by, now=now)
    area.delete()
    return True
