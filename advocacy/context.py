"""What every page's shell needs."""

import base64
import functools
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from advocacy import ink
from ambassadors.models import Person
from integrations import instance
from people import pulse

# The entry under which all pages of a room stand.
_ROOMS = {"people": "roster"}
# Pages of that room which everybody has for themselves stand under no entry.
_OWN = (
    "training", "training_executives", "course", "booking", "training_room",
    "lesson",
    "teams", "team", "nominate", "my_teams", "calls", "call",
    "pulse", "pulse_results", "pulse_quarter",
)  # fmt: skip


def shell(request: HttpRequest) -> dict[str, Any]:
    """Theme, organisation and the navigation of the person's roles."""
    theme = request.COOKIES.get(settings.THEME_COOKIE_NAME, "")
    user = getattr(request, "user", None)
    person = user if isinstance(user, Person) else None
    runs_it = person is not None and person.has_role("administrator")
    return {
        "organisation": settings.ORGANISATION,
        "ink": ink.stamp(),
        # names the person to their own device and to nobody else
        "person_key": salted_hmac("device", str(person.pk)).hexdigest()[:20] if person else "",
        # asked by pages that keep what is typed, and by none that a device keeps
        "unsent_key": lambda: _unsent_key(person),
        "signed_in": person is not None,
        "theme": theme if theme in {"light", "dark"} else "",
        "nav": _nav(person.role_names, *_place(request), get_language()) if person else (),
        "demo": settings.DEMO,
        "public": {
            "indexed": settings.PUBLIC_INDEXED,
            "careers": settings.CAREERS_URL,
            "privacy": settings.PRIVACY_URL,
            "imprint": settings.IMPRINT_URL,
            "accessibility": settings.ACCESSIBILITY_URL,
        },
        "sees_channels": person is not None and person.has_role("administrator", "curator"),
        "runs_it": runs_it,
        "unconfirmed": runs_it and instance.stopped(),
        # asked where a page shows it, and nowhere else
        "pulse_waits": lambda: person is not None and pulse.waits_for(person, timezone.now()),
    }


def _unsent_key(person: Person | None) -> str:
    """What seals a person's unsent words in their browser: 32 bytes in base64.

    The same in each of their logins: one that ends by itself takes no words along.
    """
    if person is None:
        return ""
    key = salted_hmac("unsent words", str(person.pk), algorithm="sha256")
    return base64.b64encode(key.digest()).decode()


class Entry(NamedTuple):
    """One entry of the navigation."""

    url: str
    icon: str
    label: str
    key: str
    current: bool


def _place(request: HttpRequest) -> tuple[str, str]:
    """The name of the page and the room it is of."""
    match = request.resolver_match
    return (match.url_name or "", match.func.__module__.split(".")[0]) if match else ("", "")


@functools.cache
def _nav(roles: frozenset[str], current: str, room: str, language: str) -> tuple[Entry, ...]:
    """The entries for somebody with these roles on a page, in words of the active language."""
    del language

    def has(*names: str) -> bool:
        return not roles.isdisjoint(names)

    entries = [
        ("today", "today", _("Today"), "h"),
        ("suggestions", "stack", _("Suggestions"), "v"),
        ("posts", "pen", _("My posts"), "b"),
    ]
    if has("curator"):
        entries.append(("desk", "inbox", _("Desk"), "r"))
    elif has("legal"):
        entries.append(("reviews", "check", _("Review"), "w"))
    if has("hr", "lead"):
        entries.append(("roster", "users", _("People"), "t"))
    if has("curator", "hr", "lead", "auditor"):
        entries.append(("analytics", "chart", _("Figures"), "a"))
    if has("contact", "lead_contact"):
        entries.append(("questions", "chat", _("Questions"), "q"))
    if has("auditor", "administrator"):
        holds = [("hold_reports", "clock", _("Holds"), "l")]
        entries += [
            ("audit", "info", _("Record"), "p"),
            *(() if has("curator") else holds),
            ("evidence", "lock", _("Evidence"), "e"),
        ]
    if len(entries) < 4:
        entries.append(("ideas", "bolt", _("Ideas"), "i"))
    if len(entries) < 5:
        entries.append(("notebook", "tag", _("Notebook"), "n"))
    belongs = {
        "me": "me", "effect": "posts",
        "composer": "suggestions", "post": "posts", "suggestion_edit": "desk",
        "suggestion_new": "desk", "hold": "desk", "wall": "posts", "post_evidence": "posts",
        **dict.fromkeys(
            ("review", "reviews", "away", "disclosure"),
            "desk" if has("curator") else "reviews",
        ),
        **dict.fromkeys(("disclosure_propose", "disclosure_decide"), "desk"),
        "hold_suggestion": "desk", "history": "desk", "merge": "desk", "comment": "desk",
        "calendar": "desk", "tones": "desk", "sources": "desk", "source": "desk",
        "source_new": "desk", "pictures": "desk", "tags": "desk", "picture_edit": "desk",
        **dict.fromkeys(("light", "issues", "issue_edit"), "desk"),
        **dict.fromkeys(("topic_list", "topic_new", "topic_edit"), "desk"),
        **dict.fromkeys(("topics", "topic", "briefings", "briefing", "reach"), "today"),
        **dict.fromkeys(
            ("guidelines", "guideline", "guideline_version", "guideline_quiz"), "today"
        ),
        **dict.fromkeys(
            ("guideline_list", "guideline_new", "guideline_edit", "guideline_publish"),
            "roster" if has("hr") else "desk",
        ),
        **dict.fromkeys(("agreement", "looks", "retention"), "audit"),
        "welcome": "today",
        "desk_ideas": "desk", "desk_idea": "desk",
        **dict.fromkeys(_OWN, ""),
        **dict.fromkeys(("question", "my_card"), "questions"),
        **dict.fromkeys(("widgets", "widget", "quarantine", "answers"), "roster"),
        **dict.fromkeys(
            ("desk_takeovers", "desk_activities", "desk_campaigns", "desk_campaign"), "desk"
        ),
        **dict.fromkeys(
            ("hold_programme", "hold_reports", "hold_report"),
            "desk" if has("curator") else "hold_reports",
        ),
    }  # fmt: skip
    stands_under = belongs.get(current, _ROOMS.get(room, current))
    return tuple(
        Entry(reverse(name), icon, label, key, name == stands_under)
        for name, icon, label, key in entries
    )
