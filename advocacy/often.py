"""How often somebody may write, upload, take lists away and leave forms behind (ASVS 2.4.1).

Far beyond what a person does by hand, and below what would slow the others down. Nobody is ever
kept from stopping something. Without Redis everybody goes on.
"""

from django.http import HttpRequest

from ambassadors import security_log
from ambassadors.counts import counted
from ambassadors.security_log import Event

from .policies import name_of

WRITES, WRITES_WITHIN = 600, 60  # of one person; seconds
HEAVY, HEAVY_WITHIN = 120, 3600
KEPT, KEPT_WITHIN = 10, 3600  # forms of one person that wait for a login; seconds
# What reads much or makes a file, whichever the method; and what takes one in or writes to the mail
# server while somebody waits, when it is posted.
_LISTS = frozenset(
    {
        *("roster_export", "coverage_export", "analytics_export", "effect_export"),
        *("post_evidence", "certificate", "talk_sheet"),
    }
)
_FILES = frozenset(
    {
        "pictures",
        "imports",
        "desk_lesson",
        "my_card",
        "speaking",
        "evidence",
        "my_data",
        "setup_mail",
    }
)
_STOPS = frozenset({"hold", "hold_suggestion", "hold_programme", "account_logout", "too_much"})


def is_too_much(request: HttpRequest) -> bool:
    """Count the request of somebody who may make it; tell whether it is one too many."""
    name = name_of(request)
    posted = request.method == "POST"
    if name in _STOPS or not request.user.is_authenticated:
        return False
    who = request.user.pk
    over = posted and _count(f"often:{who}", WRITES_WITHIN) > WRITES
    if name in _LISTS or (posted and name in _FILES):
        over = _count(f"often:{who}:{name}", HEAVY_WITHIN) > HEAVY or over
    if over:
        security_log.tell(Event.TOO_MUCH, page=name, person=who)
    return over


def keeps_too_much(whose: str) -> bool:
    """Count a form that is to be kept for the person of this mark, on whichever device.

    Each login gives a device another mark, so those are not counted.
    """
    over = _count(f"kept:{whose}", KEPT_WITHIN) > KEPT
    if over:
        security_log.tell(Event.TOO_MUCH, page="kept form")
    return over


def _count(key: str, seconds: int) -> int:
    try:
        return counted(key, seconds)
    except Exception:  # noqa: BLE001 - whatever the cache throws
        return 0
