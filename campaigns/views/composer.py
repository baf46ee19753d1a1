"""The composer: turn a draft into one's own sentence, then copy, open or publish it."""

import datetime as dt
import json
import urllib.parse
from collections.abc import Sequence
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors import acknowledgements, consents
from ambassadors.kept import form_key, kept_form, number
from ambassadors.models import Consent, GuidelineVersion, Person
from campaigns import (
    disclosure,
    hints,
    hours,
    lights,
    moments,
    own_drafts,
    pictures,
    shares,
    wallclock,
    wording,
)
from campaigns.disclosure import Label
from campaigns.models import Post, Suggestion, Variant
from campaigns.previews import link_of
from campaigns.share_checks import LONGEST_TEXT, ShareRefused, limit_of
from campaigns.shares import Words
from campaigns.tasks import publish_due
from campaigns.wakeups import nudge
from integrations.models import ConnectedAccount
from integrations.networks import NETWORKS, get
from integrations.networks.twitter_text import ENDINGS
from integrations.views.accounts import shut

from .guard import LONGEST, guard, look_once
from .situation import said

_LONGEST_WARNING = 120
_LATE = dt.timedelta(minutes=5)  # as long may a person look at the page before pressing
_BETWEEN = "⸻"  # between the parts of a thread in the preview


class Typed:
    """What the form holds: posted, kept over a login or in the notebook, or the first wording."""

    def __init__(
        self,
        form: QueryDict | None,
        variants: list[Variant],
        suggestion: Suggestion,
        kept: str = "",
    ) -> None:
        chosen = form.get("variant", "") if form else ""
        self.variant = next((v for v in variants if str(v.pk) == chosen), variants[0])
        self.base = suggestion.draft(self.variant)
        self.text = wording.clean(form.get("text", "")) if form else kept or self.base
        self.seen = number(form.get("seen", "")) if form else None
        self.to = form.getlist("to") if form else []
        self.when = form.get("when", "now") if form else "now"
        if form and form.get("act") == "sleep":
            self.when = "sleep"
        self.at = form.get("at", "") if form else ""
        self.submission = form_key(form.get("submission", "") if form else "")
        self.own_text = bool(form)
        warning = form.get("warning") if form else None
        self.warning = None if warning is None else wording.clean(warning)[:LONGEST]
        self.visibility = form.get("visibility", "public") if form else "public"
        self._start_elsewhere(form.get("start", "") if form else "", variants, suggestion)

    def _start_elsewhere(self, asked: str, variants: list[Variant], suggestion: Suggestion) -> None:
        """Another wording to start from; words of the person's own stay as they are."""
        other = next((v for v in variants if str(v.pk) == asked), None)
        if other is None:
            return
        if self.text.split() == self.base.split():
            self.text = suggestion.draft(other)
        self.variant, self.base = other, suggestion.draft(other)


def composer(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the composer, or do what its button says."""
    person, now = cast("Person", request.user), timezone.now()
    suggestion = (
        Suggestion.objects.visible_to(person)
        .select_related("topic", "picture", "author", "proposal__person")
        .filter(pk=pk)
        .exclude(state__in=["draft", "in_review"])
        .first()
    )
    variants = list(suggestion.variant_set.all()) if suggestion else []
    form = request.POST if request.method == "POST" else kept_form(request)
    if suggestion is None or not variants:
        if form is None:
            raise Http404
        text = form.get("text", "")
        return render(request, "gone.html", {"text": text}, status=410)
    variants.sort(key=lambda v: (v.language != person.language, v.position))
    note = number(request.GET.get("note", "")) or None
    kept = own_drafts.text_of(note, person=person, suggestion=suggestion) if note else ""
    typed = Typed(form, variants, suggestion, kept)
    if form is None and request.GET.get("rehearse"):
        walls = ConnectedAccount.objects.of(person).filter(network="wall")
        typed.to = [str(pk) for pk in walls.values_list("pk", flat=True)]
    looks = "start" in request.POST or request.POST.get("act") == "look"
    if request.method != "POST" or looks:
        if form is None and not suggestion.is_live(now):
            return render(request, "gone.html", {"suggestion": suggestion}, status=410)
        return _page(request, person, suggestion, variants, typed, now)
    try:
        return _act(request, person, suggestion, typed, now)
    except ShareRefused as refused:
        errors = {refused.field: refused.sentence}
        return _page(request, person, suggestion, variants, typed, now, errors=errors)


def _act(
    request: HttpRequest, person: Person, suggestion: Suggestion, typed: Typed, now: dt.datetime
) -> HttpResponse:
    """Copy, open or publish, by the button that was pressed; first, the light must be known."""
    if typed.seen is not None and (new := lights.changed_since(suggestion.topic, typed.seen)):
        raise ShareRefused("light", said(new, person))
    words = Words(
        text=typed.text,
        variant=typed.variant,
        submission=typed.submission,
        content_warning=_warning(typed, suggestion),
        visibility=typed.visibility,
    )
    if wording.turns(typed.text) and not request.POST.get("turns_seen"):
        raise ShareRefused(
            "text",
            _(
                "Invisible signs in your text turn the direction of reading. Take them out, or"
                " press again if you mean them."
            ),
        )
    act = request.POST.get("act", "share")
    network = request.POST.get("network", "")
    if act in {"copy", "open"} and network in NETWORKS:
        how = Post.How.COPIED if act == "copy" else Post.How.OPENED
        post = shares.hand_over(
            by=person, suggestion=suggestion, words=words, network=network, how=how, now=now
        )
        return redirect("post", pk=post.pk)
    if request.POST.get("allow_publish"):
        consents.give(person=person, purpose=Consent.Purpose.PUBLISH, now=now)
    chosen = [i for i in typed.to if i.isdecimal() and len(i) < 19]
    accounts = list(ConnectedAccount.objects.usable_by(person).filter(pk__in=chosen))
    moment = due(typed, person, suggestion, now)
    look_once(request.POST, typed.text, suggestion, person=person, now=now)
    posts = shares.share(
        by=person,
        suggestion=suggestion,
        words=words,
        accounts=accounts,
        due_at=moment.at,
        movable=typed.when in {"good", "sleep"},
        now=now,
    )
    if moment.note:
        messages.warning(request, moment.note)
    if typed.when == "sleep":
        told = _("It waits. Until it leaves you can change it or take it back here.")
        messages.success(request, told)
    if typed.when == "pick" and hours.of(person, now).quiet(moment.at):
        messages.info(
            request, _("This lies in your quiet hours. It leaves all the same: you chose it.")
        )
    nudge(publish_due)
    return redirect("post", pk=posts[0].pk) if len(posts) == 1 else redirect("posts")


def _warning(typed: Typed, suggestion: Suggestion) -> str:
    """What stands before the text: typed, or the suggestion's. Raises ShareRefused."""
    warning = suggestion.content_warning if typed.warning is None else typed.warning
    if len(warning) > _LONGEST_WARNING or "\n" in warning:
        raise ShareRefused("warning", _("One line of at most 120 characters, please."))
    return warning


def due(typed: Typed, person: Person, suggestion: Suggestion, now: dt.datetime) -> wallclock.Read:
    """The moment: now, a good one, one after the night, or the chosen one by the person's clock.

    Raises ShareRefused beside the field.
    """
    if typed.when in {"good", "sleep"}:
        begin = now if typed.when == "good" else hints.morning(person.local(now))
        return wallclock.Read(moments.good_time(suggestion=suggestion, person=person, now=begin).at)
    if typed.when != "pick":
        return wallclock.Read(now)
    try:
        moment = wallclock.read(typed.at, person.zone)
    except (ValueError, OverflowError) as error:
        raise ShareRefused("at", _("Write a day and a time.")) from error
    if moment.at < now - _LATE:
        raise ShareRefused("at", _("This moment is in the past."))
    return moment


def on_clock(wall: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Read a wall-clock time in a zone, for those who refuse one that the clocks skip."""
    read = wallclock.read(wall.isoformat(), zone)
    if read.skipped:
        raise ShareRefused("at", _("The clocks skip this time. Choose another."))
    return read.at


def limits(
    suggestion: Suggestion, labels: dict[str, Label], accounts: Sequence[ConnectedAccount]
) -> dict[str, dict[str, Any]]:
    """For the live counters: limit, unit, and what every network's text carries beside.

    Of several accounts on one network the strictest server's limit is shown.
    """
    found = {}
    link = link_of(suggestion)
    for network in NETWORKS.values():
        label = labels[network.abilities.name]
        found[network.abilities.name] = {
            "limit": min(
                (limit_of(a) for a in accounts if a.network == network.abilities.name),
                default=network.abilities.limit,
            ),
            "unit": network.abilities.unit,
            "url": network.abilities.url_length,
            "label": label.text,
            "place": label.place,
            "link": link,
            "threads": network.abilities.threads,
        }
        if network.abilities.unit == "weighted":  # addresses count without their scheme, too
            found[network.abilities.name]["endings"] = ENDINGS
    return found


def _labels(suggestion: Suggestion, language: str, person: Person) -> dict[str, Label]:
    """What every network's text carries for this person, by network."""
    rules = disclosure.labels(suggestion.content_class, language)
    country = disclosure.country_of(person)
    return {name: rules.on(name, country) for name in NETWORKS}


def _previews(
    typed: Typed, labels: dict[str, Label], limits_of: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """How the text leaves on each network, each part counted by the network's own unit."""
    rows = []
    whole = typed.text[:LONGEST_TEXT]  # a novel is given back once, not once per network
    rest = len(typed.text) - len(whole)
    parts = wording.parts(whole)
    for name, limit in limits_of.items():
        network = get(name)
        label = labels[name]
        texts = parts if network.abilities.threads else [whole]
        full = [disclosure.complete(texts[0], label, limit["link"]), *texts[1:]]
        lengths = [network.length(t) if len(t) < LONGEST * 5 else len(t) for t in full]
        rows.append(
            {
                "abilities": network.abilities,
                "full": f"\n{_BETWEEN}\n".join(full),
                "label": label,
                "text": whole,
                "length": max(lengths) + rest,
                "over": max(max(lengths) + rest - limit["limit"], 0),
                "no_thread": len(parts) > 1 and not network.abilities.threads,
            }
        )
    return rows


def _accounts(
    usable: Sequence[ConnectedAccount],
    previews: list[dict[str, Any]],
    suggestion: Suggestion,
    typed: Typed,
    now: dt.datetime,
) -> list[dict[str, Any]]:
    """Where the post may go, and what speaks against each."""
    over = {row["abilities"].name: row["over"] for row in previews}
    no_thread = {row["abilities"].name for row in previews if row["no_thread"]}
    no_picture = {
        row["abilities"].name
        for row in previews
        if row["abilities"].needs_picture and not suggestion.picture_id
    }
    over |= dict.fromkeys(no_thread | no_picture, 1)
    return [
        {
            "account": a,
            "over": over.get(a.network, 0),
            "no_thread": a.network in no_thread,
            "no_picture": a.network in no_picture,
            "rehearsal": get(a.network).abilities.connect == "own",
            "shut": shut(a.network, now),
            "checked": _checked(a, typed, over),
        }
        for a in usable
    ]


def _page(
    request: HttpRequest,
    person: Person,
    suggestion: Suggestion,
    variants: list[Variant],
    typed: Typed,
    now: dt.datetime,
    *,
    errors: dict[str, str] | None = None,
) -> HttpResponse:
    """Render the composer around what was typed."""
    # what the person has not been told, the form goes on not to know
    told = typed.seen if errors and "light" not in errors else None
    seen = lights.latest(suggestion.topic) if told is None else told
    usable = list(ConnectedAccount.objects.usable_by(person))
    labels = _labels(suggestion, typed.variant.language, person)
    limits_of = limits(suggestion, labels, usable)
    previews = _previews(typed, labels, limits_of)
    crops = pictures.by_network(suggestion.picture)
    for row in previews:
        row["crop"] = crops.get(row["abilities"].name)
    accounts = _accounts(usable, previews, suggestion, typed, now)
    able = [get(row["account"].network).abilities for row in accounts]
    context = {
        "suggestion": suggestion,
        "variants": variants,
        "typed": typed,
        "seen": seen,
        **guard(suggestion, variants, typed.variant, typed.text, person=person, now=now),
        "marked": wording.marked(typed.base, typed.text[:LONGEST]),
        "previews": previews,
        "accounts": [row for row in accounts if row["account"].person_id],
        "channels": [row for row in accounts if not row["account"].person_id],
        "warns": any(abilities.warnings for abilities in able),
        "warning": suggestion.content_warning if typed.warning is None else typed.warning,
        "visibilities": [
            (name, label)
            for name, label in visibilities().items()
            if any(name in abilities.visibilities for abilities in able)
        ],
        "threads": any(abilities.threads for abilities in able),
        "limits": json.dumps(limits_of),
        "may_publish": Consent.objects.given().filter(person=person, purpose="publish").exists(),
        "rules": GuidelineVersion.objects.in_force(now).select_related("guideline"),
        "held": acknowledgements.holds_back(person, now),
        "errors": errors or {},
        "turns": wording.turns(typed.text),
        "zone": person.zone.key,
        **_good(suggestion, person, now),
        "live": suggestion.is_live(now),
        "at": typed.at or person.local(now + dt.timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M"),
    }
    return render(request, "composer.html", context, status=422 if errors else 200)


def _good(suggestion: Suggestion, person: Person, now: dt.datetime) -> dict[str, Any]:
    """The good time that would be taken now, or why there is none."""
    try:
        return {"good": moments.good_time(suggestion=suggestion, person=person, now=now)}
    except ShareRefused as refused:
        return {"no_good": refused.sentence}


def visibilities() -> dict[str, str]:
    """Who sees a post, in plain words, by the name networks give it."""
    return {
        "public": _("Everybody"),
        "unlisted": _("Everybody, but not in public timelines"),
        "private": _("Followers only"),
    }


def _checked(account: ConnectedAccount, typed: Typed, over: dict[str, int]) -> bool:
    if typed.to:
        return str(account.pk) in typed.to
    able = get(account.network).abilities
    if account.person_id is None or able.connect == "own" or able.price is not None:
        return False  # a channel, a rehearsal and what costs money are chosen by a person only
    return not over.get(account.network) and not account.reconnect_reason


def voice(request: HttpRequest, pk: int) -> HttpResponse:
    """Whose words these are, as a fragment of the composer."""
    person = cast("Person", request.user)
    suggestion = Suggestion.objects.visible_to(person).select_related("topic").filter(pk=pk).first()
    variants = list(suggestion.variant_set.all()) if suggestion else []
    if suggestion is None or not variants:
        raise Http404
    typed = Typed(request.POST, variants, suggestion)
    now = timezone.now()
    beside = guard(suggestion, variants, typed.variant, typed.text, person=person, now=now)
    return render(request, "parts/voice.html", beside)


def intent_url(network: str, text: str, url: str = "") -> str:
    """The network's own share page with the text or the link in it, empty where there is none."""
    template = get(network).abilities.intent_url
    if not template or ("{url}" in template and not url):
        return ""
    quoted = urllib.parse.quote(url, safe="")
    return template.format(text=urllib.parse.quote(text, safe=""), url=quoted)
