"""The first run: three steps of a minute, and *later* on each of them."""

from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from ambassadors.models import Person
from campaigns import hours, reaching
from campaigns import welcome as verbs
from campaigns.models import Programme
from campaigns.views.reach import address_by, offered, time_refused, working_time
from integrations import accounts
from integrations.chats import NotThere


def welcome(request: HttpRequest) -> HttpResponse:
    """Show the step the person is at, or do what its button says."""
    person = cast("Person", request.user)
    step = person.welcome if person.welcome in verbs.STEPS else verbs.TOPICS
    if request.method != "POST":
        return _page(request, person, step)
    shown = request.POST.get("step", "")
    step = int(shown) if shown in {str(one) for one in verbs.STEPS} else step
    match request.POST.get("act", ""):
        case "later":
            verbs.go_on(person=person, to=step)
            return redirect("today")
        case "never":
            verbs.go_on(person=person, to=verbs.OVER)
            return redirect("today")
        case "back" if step > verbs.TOPICS:
            verbs.go_on(person=person, to=step - 1)
            return redirect("welcome")
    if step == verbs.TOPICS:
        language = request.POST.get("language", "")
        known = language if language in dict(Person.Language.choices) else person.language
        verbs.like(person=person, language=known, topics=request.POST.getlist("topics")[:100])
        answer = redirect("welcome")
        answer.delete_cookie(settings.LANGUAGE_COOKIE_NAME)  # the choice of the page before
        return answer
    if step == verbs.REACH:
        return _reach(request, person)
    verbs.go_on(person=person, to=verbs.OVER)
    suggestion = verbs.rehearsal(person, timezone.now())
    accounts.connect_wall(person=person, now=timezone.now())
    if suggestion is None:
        return redirect("wall")
    return redirect(reverse("composer", args=[suggestion.pk]) + "?rehearse=1")


def _reach(request: HttpRequest, person: Person) -> HttpResponse:
    """Second step: by which way and from when on we write, or not at all."""
    way, at, address = request.POST.get("reach", ""), None, ""
    own = hours.of(person, timezone.now())
    try:
        if way in offered(person):
            at = working_time(request.POST.get("at", ""), own)
            address = address_by(way, person, timezone.now())
    except ValueError:
        return _page(request, person, verbs.REACH, error=time_refused(own))
    except NotThere as nobody:
        return _page(request, person, verbs.REACH, error=str(nobody))
    verbs.reach(person=person, way=way, at=at, address=address, now=timezone.now())
    return redirect("welcome")


def _page(request: HttpRequest, person: Person, step: int, *, error: str = "") -> HttpResponse:
    programme = Programme.the()
    context: dict[str, Any] = {
        "step": step,
        "number": step - verbs.TOPICS + 1,
        "steps": len(verbs.STEPS),
        "programme": programme,
        "error": error,
    }
    if step == verbs.TOPICS:
        context["topics"] = verbs.offered()
        context["languages"] = Person.Language.choices
    elif step == verbs.REACH:
        daily = next((one for one in reaching.wishes(person).values() if one.at), None)
        context["ways"] = offered(person)
        context["way"] = request.POST.get("reach") or (daily.way if daily else "")
        time = f"{daily.at:%H:%M}" if daily else "07:30"
        context["at"] = request.POST.get("at", time)[:20] if error else time
    else:
        context["suggestion"] = verbs.rehearsal(person, timezone.now())
    return render(request, "welcome.html", context, status=422 if error else 200)
