"""My posts: states in plain words, and the choices that are the person's."""

import datetime as dt
from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors.models import Person
from campaigns import afterwards, choices, holds, links, moments, queue, wording
from campaigns.models import Delivery, HoldAnswer, Post, TimeOffer
from campaigns.outgoings import short_url
from campaigns.saying import Outlook, plain_state, what_now
from campaigns.share_checks import ShareRefused
from campaigns.tasks import publish_due
from campaigns.views.composer import intent_url
from campaigns.wakeups import nudge
from integrations.networks import get

_QUEUE = 500  # posts that wait; nobody plans more in ninety days


def _row(post: Post, outlook: Outlook) -> dict[str, Any]:
    delivery = getattr(post, "delivery", None)
    kind, sentence = plain_state(post, delivery, outlook)
    return {
        "post": post,
        "delivery": delivery,
        "kind": kind,
        "sentence": sentence,
        "now": what_now(post, delivery),
    }


def posts(request: HttpRequest) -> HttpResponse:
    """The person's own posts, newest first; a thread stands once, by its first part."""
    person, now = cast("Person", request.user), timezone.now()
    error = ""
    if request.method == "POST":
        try:
            key = _arrange(request, person, now)
        except queue.QueueRefused as refused:
            error = refused.sentence
        else:
            return redirect(reverse("posts") + (f"#q{key}" if key else ""))
    # read whole: cut off in the database, or as a part of the other query, the rows of everybody
    # who waits would be looked through for the few of this person
    waiting = queue.waiting(person, now)
    planned = list(waiting.select_related("account", "post__suggestion__topic", "post__after"))
    replaced = Q(delivery__state="cancelled", delivery__reason="edited")
    rows = (
        Post.objects.of(person)
        .filter(part=0)
        .exclude(replaced | Q(delivery__in=[row.pk for row in planned]))
        .select_related("delivery__account", "suggestion__topic", "link", "after")
    )
    page = Paginator(rows, 15).get_page(request.GET.get("page"))
    outlook = Outlook.now()
    listed = [_row(post, outlook) for post in page.object_list]
    shown = page.number == 1
    context = {
        "page": page,
        "rows": listed,
        "queue": [_row(row.post, outlook) for row in planned[:_QUEUE]] if shown else [],
        "error": error,
    }
    return render(request, "posts.html", context, status=422 if error else 200)


def _arrange(request: HttpRequest, person: Person, now: dt.datetime) -> int:
    """Move one post up or down, or take the order of the whole list as it was drawn.

    Returns the key of the one that was moved, 0 for the whole list.
    """
    typed = request.POST
    if "order" in typed:
        order = [int(key) for key in typed["order"].split(",")[:_QUEUE] if _is_key(key)]
        queue.arrange(by=person, order=order, now=now)
        return 0
    way = "up" if "up" in typed else "down"
    key = int(typed[way]) if _is_key(typed.get(way, "")) else 0
    queue.step(by=person, delivery=key, up=way == "up", now=now)
    return key


def _is_key(typed: str) -> bool:
    return typed.isascii() and typed.isdecimal() and len(typed) < 19


def post(request: HttpRequest, pk: int) -> HttpResponse:
    """One post: its text, its way, its figures; with the person's choices."""
    person = cast("Person", request.user)
    found = get_object_or_404(
        Post.objects.of(person).select_related(
            "delivery__account", "suggestion__topic", "link", "picture"
        ),
        pk=pk,
    )
    errors: dict[str, str] = {}
    choice = request.POST.get("choice", "")
    if request.method == "POST":
        try:
            return redirect("post", pk=_decide(request, person, found, choice))
        except ShareRefused as refused:
            errors = {refused.field: refused.sentence}
            if hasattr(found, "delivery"):
                found.delivery.refresh_from_db()  # what came too late is told as it stands now
        except _Unreadable as unreadable:
            errors = unreadable.errors
    return render(request, "post.html", _page(request, found, errors), status=_status(errors))


def _status(errors: dict[str, str]) -> int:
    return 422 if errors else 200


def _page(request: HttpRequest, found: Post, errors: dict[str, str]) -> dict[str, Any]:
    """Everything that stands on a post's page."""
    now = timezone.now()
    delivery: Delivery | None = getattr(found, "delivery", None)
    attempts = list(delivery.attempt_set.all()) if delivery else []
    outlook = Outlook.now()
    asking = holds.questions(found.person, found)
    abilities = get(found.network).abilities
    return {
        **_row(found, outlook),
        "abilities": abilities,
        "may_change": bool(delivery) and afterwards.may_change(found),
        "marked": wording.marked(found.draft, found.text),
        "intent": intent_url(
            found.network, found.full_text, short_url(found.link.code) if found.link else ""
        ),
        "only_link": "{url}" in abilities.intent_url,
        "link": _link(found, now),
        "attempts": attempts,
        "tried_at": attempts[-1].began_at if attempts else delivery and delivery.first_tried_at,
        "activity": activity_url(delivery) if delivery else "",
        "live": bool(found.suggestion and found.suggestion.is_live(now)),
        "may_send_again": bool(delivery and now < delivery.not_after),
        "question": asking[0] if asking else None,
        "offer": _offer(delivery, now),
        "thread": _thread(found, outlook),
        "figures": figures(found),
        "missing": _missing(found, delivery),
        "may_report": may_report(found, delivery),
        "reported": [
            (name, label, getattr(found, name))
            for name, label in _labels().items()
            if name in afterwards.REPORTED
        ],
        "first_reading": delivery and delivery.measure_at,
        "errors": errors,
        "typed": request.POST,
    }


def _link(post: Post, now: dt.datetime) -> dict[str, Any] | None:
    """The post's tracked link: its address, where it leads, and what it says now."""
    if not post.link:
        return None
    found = links.find(post.link.code, now=now)
    return {
        "url": short_url(post.link.code),
        "target": post.link.target,
        "answer": found.answer.value if found else "",
    }


def _offer(delivery: Delivery | None, now: dt.datetime) -> TimeOffer | None:
    """Another moment that the person is asked about."""
    if delivery is None or delivery.state != "queued":
        return None
    return TimeOffer.objects.filter(delivery=delivery, answer="", at__gt=now).first()


def activity_url(delivery: Delivery) -> str:
    """Where the person sees what stands on their own account."""
    able = get(delivery.account.network).abilities
    if able.activity_url and delivery.account.person_id:
        return able.activity_url
    if able.connect == "own":
        return f"{settings.SITE_URL}/wall/"
    url = delivery.account.profile_url
    return url if url.startswith("https://") else ""


def _thread(found: Post, outlook: Outlook) -> list[dict[str, Any]]:
    """All parts of the post's thread in order, empty when it stands alone."""
    parts = [found]
    while parts[0].before:
        parts.insert(0, parts[0].before)
    while (
        later := Post.objects.filter(before=parts[-1]).select_related("delivery__account").first()
    ):
        parts.append(later)
    return [_row(part, outlook) for part in parts] if len(parts) > 1 else []


# Figures --------------------------------------------------------------------------------------


def _labels() -> dict[str, str]:
    return {
        "likes": _("likes"),
        "reposts": _("reposts"),
        "replies": _("replies"),
        "quotes": _("quotes"),
        "impressions": _("impressions"),
        "conversations": _("conversations you answered"),
    }


def figures(post: Post) -> list[dict[str, Any]]:
    """What is known about the post, each with where it comes from; None is not zero."""
    source = _("measured") if post.measured_at else _("reported by you")
    found = [
        {"label": label, "value": getattr(post, name), "source": source}
        for name, label in _labels().items()
        if getattr(post, name) is not None
    ]
    if post.link:
        found.append({"label": _("clicks"), "value": post.link.clicks, "source": _("estimated")})
    return found


def _missing(post: Post, delivery: Delivery | None) -> list[str]:
    """What the network does not count for us, while the post is out."""
    abilities = get(post.network).abilities
    if delivery is None or delivery.state != "sent":
        return []
    counted = abilities.counts if abilities.can_measure else ()
    names = {n: label for n, label in _labels().items() if n not in {*counted, "conversations"}}
    return [label for name, label in names.items() if getattr(post, name) is None]


def may_report(post: Post, delivery: Delivery | None) -> bool:
    """By hand where nothing can be measured: copied and opened posts, and such networks."""
    if post.measured_at:
        return False
    if delivery is None:
        return True
    return delivery.state == "sent" and not get(post.network).abilities.can_measure


# Choices --------------------------------------------------------------------------------------


class _Unreadable(Exception):
    """Fields of a form that cannot be used, each with its sentence."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__()
        self.errors = errors


def _decide(request: HttpRequest, person: Person, found: Post, choice: str) -> int:
    """Do what the person chose; returns the page to show. Raises ShareRefused or _Unreadable."""
    delivery: Delivery | None = getattr(found, "delivery", None)
    now = timezone.now()
    if choice == "report" and may_report(found, delivery):
        _report(request, person, found, now)
    elif choice in {"answer_edited", "answer_removed", "answer_left"}:
        _answer(request, person, found, choice.removeprefix("answer_"), now)
    elif choice == "edit" and delivery:
        text = wording.clean(request.POST.get("text", ""))
        new = choices.edit(by=person, delivery=delivery, text=text, now=now)
        messages.success(request, _("Changed. The older text will not leave."))
        nudge(publish_due)
        return new.pk
    elif choice == "remove" and delivery and delivery.state == "sent":
        afterwards.remove(by=person, post=found, now=now)
        messages.success(request, _("Deleted at the network."))
    elif choice == "withdraw_link" and found.link:
        links.withdraw(post=found, by=person, now=now)
        messages.success(request, _("The link leads nowhere any more."))
    elif delivery and choice in _SIMPLE:
        _SIMPLE[choice](request, person, delivery, now)
    elif delivery and delivery.state == "unknown":
        raise ShareRefused("choice", _("Choose one of the three."))
    elif "asked" in request.POST:
        raise ShareRefused("answer", _("Choose one of the three."))
    return found.pk


def _withdraw(request: HttpRequest, person: Person, delivery: Delivery, now: dt.datetime) -> None:
    known = delivery.state != "unknown"
    if not choices.withdraw(by=person, delivery=delivery, now=now):
        raise ShareRefused("", _("Too late: it has left already."))
    messages.success(request, _("Taken back.") if known else _("We leave it."))


def _again(request: HttpRequest, person: Person, delivery: Delivery, now: dt.datetime) -> None:
    typed = request.POST.get("seen", "")
    seen = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 19 else None
    if not choices.look_again(by=person, delivery=delivery, seen=seen, now=now):
        raise ShareRefused("", _("This is not possible any more."))
    messages.success(request, _("It will be sent."))
    nudge(publish_due)


def _there(request: HttpRequest, person: Person, delivery: Delivery, now: dt.datetime) -> None:
    url = request.POST.get("url", "").strip()
    if not afterwards.there(by=person, delivery=delivery, url=url, now=now):
        raise ShareRefused("", _("This is not possible any more."))
    messages.success(request, _("Good. It is noted as being out."))


def _take_offer(request: HttpRequest, person: Person, delivery: Delivery, now: dt.datetime) -> None:
    if not moments.answer(delivery=delivery, take=True, by=person, now=now):
        raise ShareRefused("", _("This is not possible any more."))
    messages.success(request, _("It leaves at the new time."))


def _keep_moment(
    request: HttpRequest, person: Person, delivery: Delivery, now: dt.datetime
) -> None:
    moments.answer(delivery=delivery, take=False, by=person, now=now)
    messages.success(request, _("It stays at your time."))


_SIMPLE: dict[str, Callable[[HttpRequest, Person, Delivery, dt.datetime], None]] = {
    "withdraw": _withdraw,
    "again": _again,
    "there": _there,
    "take_offer": _take_offer,
    "keep_moment": _keep_moment,
}


def _report(request: HttpRequest, person: Person, found: Post, now: dt.datetime) -> None:
    said, wrong = afterwards.read_report(request.POST.dict(), found)
    if wrong:
        raise _Unreadable(wrong)
    afterwards.report(by=person, post=found, said=said, now=now)
    messages.success(request, _("Noted. Only you see it."))


def _answer(request: HttpRequest, person: Person, found: Post, how: str, now: dt.datetime) -> None:
    """What a person does about a post whose topic was put on hold afterwards."""
    abilities = get(found.network).abilities
    published = hasattr(found, "delivery")
    if how == HoldAnswer.Answer.EDITED and published and afterwards.may_change(found):
        text = wording.clean(request.POST.get("text", ""))
        afterwards.change(by=person, post=found, text=text, now=now)
        messages.success(request, _("Changed at the network."))
    elif how == HoldAnswer.Answer.REMOVED and published and abilities.can_remove:
        afterwards.remove(by=person, post=found, now=now)
        messages.success(request, _("Deleted at the network."))
    elif how == HoldAnswer.Answer.REMOVED:
        afterwards.removed(by=person, post=found, now=now)
        messages.success(request, _("Noted. Nobody else sees your answer."))
    else:
        holds.answer(by=person, post=found, how=how, now=now)
        messages.success(request, _("Noted. Nobody else sees your answer."))
