"""My posts: states in plain words, and the choices that are the person's."""

from typing import Any, cast
from urllib.parse import urlsplit

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors.models import Person
from campaigns import shares, wording
from campaigns.models import Delivery, Post
from campaigns.tasks import publish_due
from campaigns.views.composer import intent_url
from campaigns.wakeups import nudge


def plain_state(delivery: Delivery | None) -> tuple[str, str]:
    """A delivery's state as ``(ok|warn|no|wait, sentence)``."""
    if delivery is None:
        return "ok", _("Handed to you.")
    if delivery.state == "queued" and delivery.blocked == Delivery.Blocked.APPROVAL:
        return "wait", _("Waits for somebody else to approve it for the channel.")
    if delivery.state == "cancelled" and delivery.reason == "declined":
        return "no", _("Given back: %(why)s") % {"why": delivery.detail}
    if delivery.state == "queued" and delivery.blocked:
        return "warn", _("Waits for you: %(why)s.") % {"why": delivery.get_blocked_display()}
    if delivery.state == "queued" and delivery.reason == "held":
        return "warn", _("Stopped: the topic is on hold. Nothing leaves.")
    if delivery.state == "queued" and delivery.reason == "later":
        return "wait", _("The network asked us to wait. We try again by ourselves.")
    if delivery.state == "unknown" and delivery.look_at:
        return "wait", _("We do not know yet whether it arrived. We are looking.")
    sentences = {
        "queued": ("wait", _("Waits for its moment.")),
        "sending": ("wait", _("Is on its way.")),
        "sent": ("ok", _("Is out.")),
        "failed": ("no", _("Was not published. Your text is safe.")),
        "unknown": ("warn", _("We do not know whether it arrived. Please look yourself.")),
        "cancelled": ("no", _("Taken back. It never left.")),
    }
    if delivery.state == "sent" and delivery.gone_at:
        return "no", _("Is no longer there; somebody deleted it at the network.")
    return sentences[delivery.state]


def _row(post: Post) -> dict[str, Any]:
    delivery = getattr(post, "delivery", None)
    kind, sentence = plain_state(delivery)
    return {"post": post, "delivery": delivery, "kind": kind, "sentence": sentence}


def posts(request: HttpRequest) -> HttpResponse:
    """The person's own posts, newest first."""
    person = cast("Person", request.user)
    rows = Post.objects.of(person).select_related("delivery__account", "suggestion__topic", "link")
    page = Paginator(rows, 15).get_page(request.GET.get("page"))
    return render(
        request, "posts.html", {"page": page, "rows": [_row(post) for post in page.object_list]}
    )


def post(request: HttpRequest, pk: int) -> HttpResponse:
    """One post: its text, its way, its figures; with the person's choices."""
    person = cast("Person", request.user)
    found = get_object_or_404(
        Post.objects.of(person).select_related(
            "delivery__account", "suggestion__topic", "link", "picture"
        ),
        pk=pk,
    )
    delivery: Delivery | None = getattr(found, "delivery", None)
    error = ""
    if request.method == "POST" and delivery:
        error = _decide(request, person, delivery)
        if not error:
            return redirect("post", pk=pk)
    context = {
        **_row(found),
        "marked": wording.marked(found.draft, found.text),
        "intent": intent_url(found.network, found.full_text),
        "attempts": delivery.attempt_set.all() if delivery else [],
        "error": error,
    }
    return render(request, "post.html", context, status=422 if error else 200)


def _decide(request: HttpRequest, person: Person, delivery: Delivery) -> str:
    """Do what the person chose; returns a sentence when it was not possible."""
    now = timezone.now()
    choice = request.POST.get("choice", "")
    if choice == "withdraw":
        done = shares.withdraw(by=person, delivery=delivery, now=now)
        if done:
            messages.success(request, _("Taken back."))
        return "" if done else _("Too late: it has left already.")
    if choice == "again":
        done = shares.look_again(by=person, delivery=delivery, now=now)
        nudge(publish_due)
        return "" if done else _("This is not possible any more.")
    if choice == "there":
        url = request.POST.get("url", "").strip()
        parts = urlsplit(url) if len(url) < 800 and "[" not in url else urlsplit("")
        if parts.scheme != "https" or not parts.netloc:
            return _("Paste the address of the post; it begins with https://.")
        done = shares.say_it_is_there(by=person, delivery=delivery, url=url, now=now)
        return "" if done else _("This is not possible any more.")
    return _("Choose one of the three.") if delivery.state == "unknown" else ""
