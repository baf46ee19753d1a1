"""My accounts and my consents: what may Botschaft do, in plain words."""

import datetime as dt
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors import consents
from ambassadors.models import Consent, Person
from integrations import limits, matrix, words
from integrations.models import ConnectedAccount
from integrations.networks import NETWORKS

OFFERED = ("publish", "engagement", "roster", "speaker", "photo")


def accounts(
    request: HttpRequest, *, errors: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    """List accounts and consents, with the buttons to connect more."""
    person, now = cast("Person", request.user), timezone.now()
    given = {c.purpose: c for c in Consent.objects.given().filter(person=person)}
    past: dict[str, list[Consent]] = {}
    for row in Consent.objects.filter(person=person).order_by("-pk"):
        past.setdefault(row.purpose, []).append(row)
    offered = [
        {
            "purpose": purpose,
            "label": Consent.Purpose(purpose).label,
            "wording": _(given[purpose].wording if purpose in given else wording),
            "given": given.get(purpose),
            "newer": _(wording) if purpose in given and given[purpose].version != version else "",
            "past": past.get(purpose, []),
            "given_here": purpose in OFFERED,
        }
        for purpose, (version, wording) in consents.WORDINGS.items()
        if purpose in OFFERED or (purpose in past and purpose != Consent.Purpose.LINK_ACCOUNT)
    ]
    mine = ConnectedAccount.objects.of(person)
    context = {
        "accounts": [
            words.plain(
                account, counts="engagement" in given, publishes="publish" in given, now=now
            )
            for account in mine
        ],
        "may_publish": "publish" in given,
        "ways": ways(company=False, errors=errors or {}, now=now),
        "consents": offered,
        "errors": errors or {},
        # Without passwords: a template that misses a name logs what it looked in.
        "typed": {name: text for name, text in request.POST.items() if "password" not in name},
        "channels": ConnectedAccount.objects.company().filter(editors=person),
    }
    return render(request, "accounts.html", context, status=status)


def ways(*, company: bool, errors: dict[str, str], now: dt.datetime) -> list[dict[str, Any]]:
    """Every network with how to connect it, for people or for the company."""
    wanted = "company" if company else "person"
    return [
        {
            "abilities": able,
            "state": words.state_of(network),
            "sentence": _(able.pitch),
            "shut": shut(able.name, now),
            "error": errors.get(able.name, ""),
        }
        for network in NETWORKS.values()
        if (able := network.abilities).connect != "own" and wanted in able.for_whom
    ]


def budget(network: str, now: dt.datetime) -> tuple[int, int] | None:
    """What a paid network has cost and may cost this month, in millionths of a US dollar."""
    if NETWORKS[network].abilities.price is None:
        return None
    row = limits.budget(network, now=now)
    return row.spent, row.limit


def shut(network: str, now: dt.datetime) -> str:
    """Why a paid network is not published to: ``no_budget``, ``used_up``, or empty when it is."""
    price, found = NETWORKS[network].abilities.price, budget(network, now)
    if price is None or found is None:
        return ""
    spent, limit = found
    if not limit:
        return "no_budget"
    return "used_up" if limit - spent < price.post else ""


def networks(request: HttpRequest) -> HttpResponse:
    """What Botschaft can do on which network: the matrix, from the code."""
    person, now = cast("Person", request.user), timezone.now()
    head, rows = matrix.table()
    paid = []
    for able in head:
        if found := budget(able.name, now):
            spent, limit = found
            paid.append(
                {
                    "abilities": able,
                    "spent": f"{spent / 1_000_000:.2f}",
                    "limit": f"{limit / 1_000_000:.2f}",
                    "meter": min(round(100 * spent / limit), 100) if limit else 100,
                    "shut": shut(able.name, now),
                }
            )
    context = {
        "networks": head,
        "rows": rows,
        "paid": paid,
        "sees_money": person.has_role("administrator", "curator"),
    }
    return render(request, "networks.html", context)
