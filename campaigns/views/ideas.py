"""Ideas of one's own: one field and a picture; the answers stand beneath."""

from http import HTTPStatus
from typing import cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ambassadors.kept import form_key, kept_form
from ambassadors.models import Person
from campaigns import proposals, uploads
from campaigns.models import Picture, Proposal

from . import pictures


class _Typed:
    """What the form holds: posted, kept over a login, or nothing yet."""

    def __init__(self, form: QueryDict | None) -> None:
        form = form if form is not None else QueryDict()
        self.text = form.get("text", "").replace("\x00", "")
        self.show_name = bool(form.get("show_name"))
        self.submission = form_key(form.get("submission", ""))


def ideas(request: HttpRequest) -> HttpResponse:
    """Hand one in; below, the person's own with their answers, the newest first."""
    person, now = cast("Person", request.user), timezone.now()
    if request.method != "POST":
        return _page(request, person, _Typed(kept_form(request)), {}, None)
    typed, errors = _Typed(request.POST), dict[str, str]()
    picture = None
    try:
        picture = pictures.of_form(request, person)
        proposals.hand_in(
            by=person,
            text=typed.text,
            picture=picture,
            show_name=typed.show_name,
            submission=typed.submission,
            now=now,
        )
    except uploads.PictureRefused as refused:
        errors["picture"] = str(refused)
    except proposals.NotTaken as refused:
        errors[refused.field] = refused.sentence
    else:
        messages.success(request, _("Your idea is with the curators. The answer comes here."))
        return redirect("ideas")
    return _page(request, person, typed, errors, picture)


def _page(
    request: HttpRequest,
    person: Person,
    typed: _Typed,
    errors: dict[str, str],
    picture: Picture | None,
) -> HttpResponse:
    mine = Proposal.objects.filter(person=person).exclude(state="withdrawn")
    rows = mine.select_related("answered_by", "suggestion__topic", "picture").order_by(
        "-created_at", "-pk"
    )
    page = Paginator(rows, 15).get_page(request.GET.get("page"))
    now = timezone.now()
    listed = [
        {"idea": row, "live": bool(row.suggestion and row.suggestion.is_live(now))}
        for row in page.object_list
    ]
    proposals.see(person=person, now=now)
    context = {
        "page": page,
        "rows": listed,
        "typed": typed,
        "errors": errors,
        "picture": picture,
        "kept": pictures.carried(picture, person),
        "longest": proposals.LONGEST,
        "lost": "lost" in request.GET,
    }
    return render(request, "ideas.html", context, status=422 if errors else 200)


@csrf_exempt
def shared(request: HttpRequest) -> HttpResponse:
    """Where a phone's share sheet sends to, and the worker of the installed app was not there yet.

    The browser's own form has no token, so nothing of it is read: neither picture nor text. With
    the worker both stay on the device, wait for a login if need be, and stand in the form.
    """
    answer = HttpResponseRedirect(
        f"{reverse('ideas')}?lost" if request.method == "POST" else reverse("ideas")
    )
    answer.status_code = HTTPStatus.SEE_OTHER
    return answer


@require_POST
def idea(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an idea of one's own back, or change whether one's name is shown."""
    person, now = cast("Person", request.user), timezone.now()
    mine = get_object_or_404(Proposal, pk=pk, person=person)
    match request.POST.get("act", ""):
        case "withdraw":
            if mine.state in {"new", "answered"} and proposals.withdraw(
                proposal=mine, by=person, now=now
            ):
                messages.success(request, _("Taken back."))
            else:
                messages.error(request, _("It was decided meanwhile; read the answer here."))
        case "show" | "hide" as act:
            proposals.credit(proposal=mine, show_name=act == "show", by=person, now=now)
            if act == "show":
                messages.success(request, _("Your name stands beside it."))
            else:
                messages.success(request, _("Your name is shown no more."))
    return redirect("ideas")
