"""Ask somebody who does the job: the cards, one card, the question, its page, and the frame."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ambassadors import retention
from ambassadors.memberships import day_of
from campaigns.senders import sender
from campaigns.wakeups import nudge
from reception import asking, cards, crowds, inquiries, routing, stamps, tokens, widgets
from reception.inquiries import NotTaken
from reception.models import ContactCard, Inquiry, JobArea, Widget
from reception.tasks import send_letters

from . import codes
from .public import public_page, word

# What a form that was not taken hands on beside its text.
_CARRIED = ("w", "area", "to", "name", "email", "act", "code")


def _language() -> str:
    return "en" if get_language() == "en" else "de"


def _widget(request: HttpRequest) -> Widget | None:
    """The widget that led here, by its key in the address or the form."""
    key = request.POST.get("w") or request.GET.get("w", "")
    return widgets.standing(word(key)) if key else None


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Everybody who answers strangers, by area of work; on POST a question to one or to anyone."""
    if request.method == "POST":
        to = word(request.POST.get("to", ""))
        chosen = cards.public(timezone.localdate()).filter(key=to).first() if to else None
        return _posted(request, chosen, None)
    return _everybody(request)


def _everybody(request: HttpRequest, **form: Any) -> HttpResponse:
    widget, on = _widget(request), timezone.localdate()
    rows = widgets.public(widget, on) if widget else cards.public(on)
    everybody = [cards.shown(card, _language()) for card in rows]
    taken = {area.pk for card in everybody for area in card.areas}
    areas = [area for area in JobArea.objects.all() if area.pk in taken]
    asked = request.GET.get("area", "")
    chosen = next((area for area in areas if area.slug == asked), None)
    shown = [card for card in everybody if chosen is None or chosen in card.areas]
    days = routing.promised_days(widget)
    context = {"everybody": everybody, "cards": shown, "areas": areas, "chosen": chosen}
    context |= _form(request, widget, days) | form
    return render(request, "ask.html", context, status=422 if context["wrong"] else 200)


def _form(request: HttpRequest, widget: Widget | None, days: int) -> dict[str, Any]:
    """What every form of a question shows."""
    return {
        "typed": {"to": "", "area": request.GET.get("area", "")},
        "wrong": {},
        "stamp": stamps.make(now=timezone.now()),
        "widget": widget,
        "carry": _carry(request, widget),
        "days": days,
        "keep_days": retention.days("inquiries"),
    }


def _carry(request: HttpRequest, widget: Widget | None) -> str:
    """What links to another card hand on: the language, and where the visitor came from."""
    suffix: str = request.lang_suffix  # type: ignore[attr-defined]
    if widget is None:
        return suffix
    return f"{suffix}{'&' if suffix else '?'}w={widget.key}"


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def card(request: HttpRequest, key: str) -> HttpResponse:
    """One card and a question to its person. Gone as soon as person, yes or term is."""
    found = cards.public(timezone.localdate()).filter(key=key).first()
    if request.method == "POST":
        return _posted(request, found, found)
    if found is None:
        return render(request, "ask_gone.html", status=404)
    return _one(request, found)


def _one(request: HttpRequest, found: ContactCard, **form: Any) -> HttpResponse:
    widget = _widget(request)
    days = routing.promised_days(widget, routing.team_of(found.person, timezone.localdate()))
    context = {"card": cards.shown(found, _language())} | _form(request, widget, days) | form
    return render(request, "ask_card.html", context, status=422 if context["wrong"] else 200)


def _posted(
    request: HttpRequest, chosen: ContactCard | None, page: ContactCard | None
) -> HttpResponse:
    """Take a question, or give the form back with all that was typed."""
    now, typed = timezone.now(), request.POST
    slug = word(typed.get("area", ""))
    area = JobArea.objects.filter(slug=slug).first() if slug else None
    asked, wrong = asking.checked(
        asking.Asked(
            question=typed.get("question", ""),
            name=typed.get("name", ""),
            email=typed.get("email", ""),
            language=_language(),
            chosen=chosen.person if chosen else None,
            area=area,
            widget=_widget(request),
        )
    )
    stamp = stamps.read(typed.get("stamp", ""), now=now)
    if stamp is None and not wrong:
        wrong[""] = _("The page was open for very long. Nothing is lost: just send it once more.")
    if stamp and not wrong:
        crowd = crowds.measure(sender(request), now=now)
        if crowd.full:
            return _busy(request)
        try:
            trap = typed.get("website", "")
            made = asking.receive(asked=asked, stamp=stamp, trap=trap, crowd=crowd, now=now)
        except asking.SentAlready:
            wrong[""] = _("This form was sent before. If it is another question, send it again.")
            stamp = None
        else:
            nudge(send_letters)
            return _thread(request, made, sent=True)  # its code is in no address to lead to
    form = {
        "typed": typed,
        "wrong": wrong,
        "stamp": typed["stamp"] if stamp else stamps.make(now=now - stamps.YOUNGEST),
    }
    return _one(request, page, **form) if page else _everybody(request, **form)


def _busy(request: HttpRequest) -> HttpResponse:
    """Too many at once, from there or from everywhere. Asks the database nothing."""
    stamp = stamps.make(now=timezone.now() - stamps.YOUNGEST)
    typed = request.POST
    carried = [(name, typed[name]) for name in _CARRIED if typed.get(name)]
    context = {"typed": typed, "stamp": stamp, "carried": carried}
    response = render(request, "ask_busy.html", context, status=429)
    response["Retry-After"] = "600"
    return response


@public_page
@require_safe
def photo(request: HttpRequest, key: str) -> HttpResponse:
    """The photo of a card, while it may be shown; ``?small`` for the widget."""
    content = cards.photo(key, small="small" in request.GET, on=timezone.localdate())
    if content is None:
        raise Http404
    response = HttpResponse(content, content_type="image/jpeg")
    response["Content-Security-Policy"] = "sandbox"
    # The frame is sandboxed, so for the browser it is another origin than ours.
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@public_page
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What happens with a stranger's data, in sentences."""
    context = {"keep_days": retention.days("inquiries"), "by_mail": bool(settings.MAIL_DOMAIN)}
    return render(request, "ask_privacy.html", context)


@public_page
@require_safe
def frame(request: HttpRequest, key: str) -> HttpResponse:
    """The widget. Browsers show it inside the sites of its row and nowhere else."""
    found = Widget.objects.filter(key=key).first()
    if found is None:
        raise Http404
    rows = [] if found.retired_at else list(widgets.public(found, timezone.localdate()))
    language = found.language or _language()
    shown = [cards.shown(row, language) for row in rows]
    context = {
        "widget": found,
        "language": language,
        "cards": [card for card in shown if not card.rests][: widgets.MOST_SHOWN],
        "more": len(shown) > widgets.MOST_SHOWN,
        "days": routing.promised_days(found),
        "site": settings.SITE_URL,
    }
    response = render(request, "widget.html", context)
    response._csp_replace = {"frame-ancestors": found.origins or ["'none'"]}  # type: ignore[attr-defined]  # noqa: SLF001 - django-csp's own hook for one response
    response.xframe_options_exempt = True  # type: ignore[attr-defined]
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def question(request: HttpRequest, old: str = "") -> HttpResponse:
    """The asker's own page: read along, add, rate, delete. Whoever has the code may."""
    now = timezone.now()
    try:
        inquiry = codes.opened(request, tokens.typed, door="question", old=old)
    except codes.Shut as shut:
        return codes.page(request, shut, title=_("Your question"), action=reverse("question_page"))
    if request.POST.get("act"):
        return _act(request, inquiry, now)
    inquiries.settle(inquiry, now=now)
    nudge(send_letters)
    return _thread(request, inquiry)


def _act(request: HttpRequest, inquiry: Inquiry, now: dt.datetime) -> HttpResponse:
    """One button of the page. Each of them counts once: a page loaded anew sends it again."""
    act = request.POST["act"]
    if act == "erase":
        if request.POST.get("sure") != "yes":
            return _thread(request, inquiry, wrong={"sure": _("Tick the box first.")})
        asking.erase(inquiry=inquiry, now=now)
        return codes.private(render(request, "question_deleted.html", {"asked": True}))
    if act == "rate":
        number = request.POST.get("rating", "")
        asking.rate(inquiry=inquiry, rating=int(number) if number in {"1", "2", "3"} else 0)
        inquiry.refresh_from_db()
    elif act == "add":
        if crowds.measure(sender(request), now=now).full:
            return _busy(request)
        try:
            asking.add(inquiry=inquiry, text=request.POST.get("question", ""), now=now)
        except NotTaken as refused:
            wrong = {refused.field: refused.sentence}
            return _thread(request, inquiry, typed=request.POST, wrong=wrong)
        except asking.Gone:
            gone = render(request, "question_deleted.html", {"asked": False}, status=404)
            return codes.private(gone)
        nudge(send_letters)
    return _thread(request, inquiry)


def _thread(request: HttpRequest, inquiry: Inquiry, **form: Any) -> HttpResponse:
    """The conversation. Who answered is named while strangers may know them, and not after."""
    said = list(inquiry.messages.exclude(who="note"))
    people = {message.author_id for message in said} | {inquiry.owner_id}
    known = ContactCard.objects.live(day_of(timezone.now())).filter(person__in=people - {None})
    names = dict(known.values_list("person_id", "person__name"))
    context = {
        "inquiry": inquiry,
        "code": tokens.token(inquiry, "page"),
        "way_back": tokens.page(inquiry),
        "said": [(message, names.get(message.author_id or 0, "")) for message in said],
        "owner": names.get(inquiry.owner_id or 0, ""),
        "ratings": Inquiry.Rating.choices,
        "keep_days": retention.days("inquiries"),
        "sent": False,
        "typed": {},
        "wrong": {},
    } | form
    status = 422 if context["wrong"] else 200
    return codes.private(render(request, "question_page.html", context, status=status))
