"""A job ad in any of the shapes that job systems export: the same facts under many names."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from . import cleaning
from .feed_rows import Entry

# In the order of preference. Greenhouse, Lever, Personio, Recruitee, SmartRecruiters, Indeed's XML,
# schema.org's JobPosting and JSON Feed, by their public descriptions.
_TITLE = ("title", "text", "name", "jobtitle", "job_title", "bezeichnung")
_LINK = (
    "absolute_url", "hostedurl", "careers_url", "joburl", "job_url", "applyurl", "external_url",
    "url", "link", "ref", "loc",
)  # fmt: skip
_GUID = ("guid", "id", "referencenumber", "requisitionid", "identifier", "reference", "uuid")
_AT = (
    "date_published", "dateposted", "published_at", "first_published", "createdat", "createdate",
    "publicationdate", "date", "updated_at", "date_modified", "updatedat", "released_date",
)  # fmt: skip
_SUMMARY = ("summary", "content_text", "shortdescription", "descriptionplain", "content_html",
            "description", "value", "content")  # fmt: skip
_WORDS = ("location", "city", "office", "department", "team", "category", "categories", "tags",
          "jobcategory", "recruitingcategory", "employmenttype", "schedule")  # fmt: skip


def entry_of(facts: Mapping[str, Any], base: str, now: dt.datetime) -> Entry | None:
    """Read one job ad; None when it has no title or no link to show."""
    known = {str(key).lower(): value for key, value in facts.items()}
    link = next((found for name in _LINK if (found := cleaning.link(known.get(name) or "", base)
                 if isinstance(known.get(name), str) else "")), "")  # fmt: skip
    title = _first(known, _TITLE, 200)
    if not link or not title:
        return None
    words = [word for name in _WORDS for word in _names(known.get(name))]
    return Entry(
        guid=_first(known, _GUID, 1000) or link,
        link=link,
        title=title,
        summary=_first(known, _SUMMARY, 400),
        categories=tuple(dict.fromkeys(words))[:20],
        at=next((at for name in _AT if (at := cleaning.moment(known.get(name), now=now))), None),
    )


def _first(known: Mapping[str, Any], names: tuple[str, ...], most: int) -> str:
    for name in names:
        value = known.get(name)
        if isinstance(value, str | int) and (words := cleaning.text(value, most)):
            return words
    return ""


def _names(value: object) -> list[str]:
    """The words in a string, a list, or an object with a name, at most ten."""
    if isinstance(value, str):
        words = cleaning.text(value, 80)
        return [words] if words else []
    if isinstance(value, list):
        return [word for one in value[:10] for word in _names(one)]
    if isinstance(value, dict):
        for key in ("name", "label", "city", "addressLocality"):
            if isinstance(value.get(key), str):
                return _names(value[key])
        return [word for one in list(value.values())[:10] if isinstance(one, str)
                for word in _names(one)]  # fmt: skip
    return []
