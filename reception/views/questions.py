"""What strangers asked: the contact's inbox, and one question."""

from collections.abc import Iterable
from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors.memberships import day_of
from ambassadors.models import Person
from campaigns.wakeups import nudge
from reception import inquiries, routing
from reception.inquiries import NotTaken, TooLate
from reception.models import ContactCard, Inquiry
from reception.tasks import send_letters

from .public import word

_PAGE = 20


def inbox(request: HttpRequest) -> HttpResponse:
    """One's own questions; for leads also those nobody has, and those about to be late."""
    person = cast("Person", request.user)
    rows = inquiries.visible_to(person)
    mine = rows.filter(owner=person)
    done = Paginator(mine.exclude(state="assigned").order_by("-last_at", "-pk"), _PAGE)
    context = {
        "waiting": _with_first(mine.filter(state="assigned").order_by("answer_by")[:100]),
        "led": _with_first(rows.exclude(owner=person).order_by("answer_by")[:100]),
        "page": (page := done.get_page(request.GET.get("page"))),
        "done": _with_first(page.object_list),
        "card": ContactCard.objects.filter(person=person).first(),
        "now": timezone.now(),
    }
    return render(request, "questions.html", context)


def _with_first(rows: Iterable[Inquiry]) -> list[tuple[Inquiry, str]]:
    """Each with how it begins."""
    found = list(rows)
    texts = inquiries.first_words(found)
    return [(row, texts.get(row.pk, "")) for row in found]


def question(request: HttpRequest, pk: int) -> HttpResponse:
    """One question with all that was said; on POST answer it, hand it over or close it."""
    person, now = cast("Person", request.user), timezone.now()
    found = inquiries.visible_to(person).filter(pk=pk).first()
    if request.method == "POST":
        if found is None:  # deleted or handed on meanwhile; what was typed must not be lost
            typed = request.POST.get("text", "")
            return render(request, "question_gone.html", {"typed": typed}, status=404)
        return _act(request, found, person)
    if found is None:
        raise Http404
    inquiries.settle(found, now=now)
    if not inquiries.visible_to(person).filter(pk=pk).exists():
        raise Http404
    return _page(request, found, person)


def _act(request: HttpRequest, inquiry: Inquiry, person: Person) -> HttpResponse:
    now, typed = timezone.now(), request.POST
    seen = typed.get("turn", "")
    turn = int(seen) if seen.isdecimal() and len(seen) < 9 else -1
    try:
        if typed.get("act") == "answer":
            text = typed.get("text", "")
            inquiries.answer(inquiry=inquiry, text=text, seen=turn, by=person, now=now)
            messages.success(request, _("Your answer is on its way."))
        elif typed.get("act") in {"hand_over", "take"}:
            to = _colleague(typed.get("to", ""), person) if typed["act"] != "take" else person
            note = typed.get("note", "")
            inquiries.hand_over(inquiry=inquiry, to=to, note=note, seen=turn, by=person, now=now)
            messages.success(
                request,
                _("It is yours now.") if to == person else _("%(who)s has it now.") % {"who": to},
            )
        elif typed.get("act") == "close":
            inquiries.close(inquiry=inquiry, seen=turn, by=person, now=now)
            messages.success(request, _("Closed. It opens again when they write."))
    except TooLate:
        fresh = inquiries.visible_to(person).filter(pk=inquiry.pk).first()
        if fresh is None:
            return render(
                request, "question_gone.html", {"typed": typed.get("text", "")}, status=404
            )
        wrong = {"text": _("Something happened meanwhile; look above. Your text stands here.")}
        return _page(request, fresh, person, typed=typed, wrong=wrong, status=409)
    except NotTaken as refused:
        wrong = {refused.field: refused.sentence}
        return _page(request, inquiry, person, typed=typed, wrong=wrong, status=422)
    nudge(send_letters)
    return (
        redirect("question", pk=inquiry.pk)
        if typed.get("act") != "hand_over"
        else redirect("questions")
    )


def _colleague(key: str, person: Person) -> Person:
    """Somebody who takes questions now. Raises NotTaken."""
    on = day_of(timezone.now())
    found = routing.able(on).filter(key=word(key)).exclude(person=person).first()
    if found is None:
        raise NotTaken("to", _("Choose a colleague."))
    return found.person


def _page(
    request: HttpRequest, inquiry: Inquiry, person: Person, *, status: int = 200, **form: Any
) -> HttpResponse:
    on = day_of(timezone.now())
    colleagues = list(routing.able(on).exclude(person=person).order_by("person__name"))
    speaking = [card for card in colleagues if inquiry.language in card.languages]
    context = {
        "inquiry": inquiry,
        "said": inquiry.messages.select_related("author"),
        "colleagues": speaking or colleagues,
        "mine": inquiry.owner_id == person.pk,
        "leads": person.has_role("lead_contact"),
        "open": inquiry.state in {"new", "assigned", "answered"},
        "typed": {},
        "wrong": {},
    } | form
    return render(request, "question.html", context, status=status)
