"""A form field for a day and a time on the person's own clock."""

import datetime as dt

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns import wallclock

_FIRST_YEAR, _LAST_YEAR = 2001, 2099


class ClockField(forms.Field):
    """Reads what :mod:`campaigns.wallclock` reads; ``note`` is its sentence after cleaning."""

    note = ""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"})

    def to_python(self, value: object) -> dt.datetime | None:
        """The instant, None for an empty field."""
        if not value:
            return None
        try:
            read = wallclock.read(str(value), timezone.get_current_timezone())
        except (ValueError, OverflowError) as error:
            raise ValidationError(_("Write a day and a time.")) from error
        if not _FIRST_YEAR <= read.at.year <= _LAST_YEAR:
            raise ValidationError(_("Pick a day of this century."))
        self.note = read.note
        return read.at

    def prepare_value(self, value: object) -> object:
        """What stands in the field: an instant on the person's clock, or what was typed."""
        if isinstance(value, dt.datetime):
            return timezone.localtime(value).strftime("%Y-%m-%dT%H:%M")
        return value
