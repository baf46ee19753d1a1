"""Form fields for what strangers and speakers write: one line, longer words, a date on a wall."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from campaigns import wallclock, wording

# Where organisers are; the sites' own zones come first.
ZONES = (
    "Europe/Berlin", "Europe/Vienna", "Europe/Zurich", "Europe/London", "Europe/Dublin",
    "Europe/Lisbon", "Europe/Madrid", "Europe/Paris", "Europe/Brussels", "Europe/Amsterdam",
    "Europe/Copenhagen", "Europe/Oslo", "Europe/Stockholm", "Europe/Helsinki", "Europe/Warsaw",
    "Europe/Prague", "Europe/Rome", "Europe/Athens", "Europe/Bucharest", "Europe/Kyiv",
    "Europe/Istanbul", "Atlantic/Reykjavik", "UTC", "America/New_York", "America/Chicago",
    "America/Denver", "America/Los_Angeles", "America/Sao_Paulo", "Africa/Lagos",
    "Africa/Johannesburg", "Asia/Dubai", "Asia/Kolkata", "Asia/Singapore", "Asia/Tokyo",
    "Australia/Sydney",
)  # fmt: skip
FARTHEST = dt.timedelta(days=3 * 366)


class Text(forms.CharField):
    """Words as they may be kept: cleaned, visible, no longer than fits."""

    widget: forms.Widget = forms.Textarea(attrs={"rows": 4})

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)
        self.most = most
        self.validators = []  # a NUL falls away in cleaning, a long text is counted after it

    def clean(self, value: Any) -> str:
        """The cleaned words; a sentence where they cannot be taken."""
        text = self.tidy(wording.clean(str(value or "")))
        if wording.is_blank(text):
            if self.required:
                raise ValidationError(self.error_messages["required"])
            return ""
        if wording.is_stacked(text):
            raise ValidationError(_("Too many marks stand on one letter."))
        if len(text) > self.most:
            said = {"count": len(text), "most": self.most}
            raise ValidationError(
                _("Shorter please: %(count)s characters, and %(most)s fit.") % said
            )
        return text

    def tidy(self, text: str) -> str:
        """Leave lines and paragraphs as they are."""
        return text


class Line(Text):
    """The same on one line."""

    widget = forms.TextInput()

    def tidy(self, text: str) -> str:
        """Line ends and runs of spaces become one space."""
        return " ".join(text.split())


def wall_of(written: str, zone: str, *, now: dt.datetime) -> str:
    """A date as a clock on the wall says it, like ``2026-12-04T18:00``.

    Raises ValidationError for what is no date, is past, is far away, or is skipped by the clocks.
    """
    try:
        read = wallclock.read(written, ZoneInfo(zone))
    except (ValueError, OverflowError) as error:
        raise ValidationError(_("Write a day and a time.")) from error
    if read.skipped:
        raise ValidationError(read.note)
    if read.at <= now:
        raise ValidationError(_("This moment is in the past."))
    if read.at - now > FARTHEST:
        raise ValidationError(_("That is more than three years ahead."))
    return f"{read.at.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}"
