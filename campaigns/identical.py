"""Networks that forbid the same text on several accounts: refused before anything leaves.

X's policy: "Never post identical or substantially similar content across multiple accounts"
(networks/x.md §9). Whoever breaks it loses the account, so the first text stands and the next
one must differ.
"""

import datetime as dt
import difflib
import re
from collections.abc import Iterable, Sequence

from django.db import connection
from django.db.models import Q

from ambassadors import tidying
from integrations.models import ConnectedAccount
from integrations.networks import get

from .models import Delivery, Suggestion

REMEMBERED = dt.timedelta(days=30)
SIMILAR = 0.9  # share of equal characters, after all that is no wording was removed
_URL = re.compile(r"https?://\S+")


def core(text: str, label: str = "") -> str:
    """The wording alone: no case, spaces, punctuation, links or disclosure label."""
    text = _URL.sub(" ", text.removeprefix(label).removesuffix(label))
    text = tidying.normal("NFKC", text).casefold()
    letters = "".join(char for char in text if char.isalnum())
    return letters or "".join(text.split())  # signs and pictures only


def alike(one: str, other: str) -> bool:
    """Tell whether two wordings (see :func:`core`) are substantially the same."""
    if one == other:
        return True
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    return (
        matcher.real_quick_ratio() >= SIMILAR
        and matcher.quick_ratio() >= SIMILAR
        and matcher.ratio() >= SIMILAR
    )


def taken(
    text: str,
    label: str,
    accounts: Sequence[ConnectedAccount],
    suggestion: Suggestion,
    *,
    now: dt.datetime,
) -> bool:
    """Tell whether another account of a network says this already, where that is forbidden.

    ``accounts`` are the chosen ones of one network. Call it first in the transaction that queues
    the post: it locks such a network until the commit, so that of two people at the same moment
    the second one sees the first.
    """
    network = accounts[0].network
    if get(network).abilities.identical_texts:
        return False
    if len(accounts) > 1:
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"identical {network}"])
    wording = core(text, label)
    said = _said(accounts[0], suggestion, now)
    return any(alike(wording, core(*one)) for one in said)


def _said(
    account: ConnectedAccount, suggestion: Suggestion, now: dt.datetime
) -> Iterable[tuple[str, str]]:
    """Texts and labels on other accounts about the same, sent or on their way."""
    same = Q(post__suggestion=suggestion)
    if suggestion.link_url:
        same |= Q(post__link__target=suggestion.link_url)
    return (
        Delivery.objects.filter(same, post__network=account.network, due_at__gte=now - REMEMBERED)
        .exclude(state__in=["cancelled", "failed"])
        .exclude(account=account)
        .values_list("post__text", "post__disclosure_label")
    )
