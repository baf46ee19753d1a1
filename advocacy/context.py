"""What every page's shell needs."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
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
    runs_it = isinstance(user, Person) and user.has_role("administrator")
    return {
        "organisation": settings.ORGANISATION,
        "ink": ink.stamp(),
        # names the person to their own device and to nobody else
        "person_key": salted_hmac("device", str(user.pk)).hexdigest()[:20]
        if isinstance(user, Person)
        else "",
        "theme": theme if theme in {"light", "dark"} else "",
        "nav": _nav(user, request) if isinstance(user, Person) else [],
        "demo": settings.DEMO,
        "public": {
            "indexed": settings.PUBLIC_INDEXED,
            "careers": settings.CAREERS_URL,
            "privacy": settings.PRIVACY_URL,
            "imprint": settings.IMPRINT_URL,
            "accessibility": settings.ACCESSIBILITY_URL,
        },
        "sees_channels": isinstance(user, Person) and user.has_role("administrator", "curator"),
        "runs_it": runs_it,
        "unconfirmed": runs_it and instance.stopped(),
        # asked where a page shows it, and nowhere else
        "pulse_waits": lambda: isinstance(user, Person) and pulse.waits_for(user, timezone.now()),
    }


def _nav(person: Person, request: HttpRequest) -> list[dict[str, Any]]:
    entries = [
        ("today", "today", _("Today"), "h"),
        ("suggestions", "stack", _("Suggestions"), "v"),
        ("posts", "pen", _("My posts"), "b"),
    ]
    if person.has_role("curator"):
        entries.append(("desk", "inbox", _("Desk"), "r"))
    elif person.has_role("legal"):
        entries.append(("reviews", "check", _("Review"), "w"))
    if person.has_role("hr", "lead"):
        entries.append(("roster", "users", _("People"), "t"))
    if person.has_role("curator", "hr", "lead", "auditor"):
        entries.append(("analytics", "chart", _("Figures"), "a"))
    if person.has_role("contact", "lead_contact"):
        entries.append(("questions", "chat", _("Questions"), "q"))
    if person.has_role("auditor", "administrator"):
        holds = [("hold_reports", "clock", _("Holds"), "l")]
        entries += [
            ("audit", "info", _("Record"), "p"),
            *(() if person.has_role("curator") else holds),
            ("evidence", "lock", _("Evidence"), "e"),
        ]
    if len(entries) < 4:
        entries.append(("ideas", "bolt", _("Ideas"), "i"))
    if len(entries) < 5:
        entries.append(("notebook", "tag", _("Notebook"), "n"))
    match = request.resolver_match
    current = match.url_name if match else ""
    room = match.func.__module__.split(".")[0] if match else ""
    belongs = {
        "me": "me", "effect": "posts",
        "composer": "suggestions", "post": "posts", "suggestion_edit": "desk",
        "suggestion_new": "desk", "hold": "desk", "wall": "posts", "post_evidence": "posts",
        **dict.fromkeys(
            ("review", "reviews", "away", "disclosure"),
            "desk" if person.has_role("curator") else "reviews",
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
            "roster" if person.has_role("hr") else "desk",
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
            "desk" if person.has_role("curator") else "hold_reports",
        ),
    }  # fmt: skip
    return [
        {
            "url": reverse(name),
            "icon": icon,
            "label": label,
            "key": key,
            "current": name == belongs.get(current or "", _ROOMS.get(room, current)),
        }
        for name, icon, label, key in entries
    ]
