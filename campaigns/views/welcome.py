"""The first run: three steps of a minute, and *later* on each of them."""

from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from ambassadors.models import Person
from campaigns import reaching
from campaigns import welcome as verbs
from campaigns.models import Programme, Way
from campaigns.views.reach import offered, time_refused, working_time
from integrations import accounts


def welcome(request: HttpRequest) -> HttpResponse:
    """Show the step the person is at, or do what its button says."""
    person, now = cast("Person", request.user), timezone.now()
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
        typed, way = request.POST.get("at", ""), request.POST.get("reach", "")
        try:
            at = working_time(typed, Programme.the()) if way in offered(person) else None
        except ValueError:
            return _page(request, person, step, typed=typed[:20])
        verbs.reach(person=person, way=way, at=at, now=now)
        return redirect("welcome")
    verbs.go_on(person=person, to=verbs.OVER)
    suggestion = verbs.rehearsal(person, now)
    accounts.connect_wall(person=person, now=now)
    if suggestion is None:
        return redirect("wall")
    return redirect(reverse("composer", args=[suggestion.pk]) + "?rehearse=1")


def _page(
    request: HttpRequest, person: Person, step: int, *, typed: str | None = None
) -> HttpResponse:
    programme = Programme.the()
    context: dict[str, Any] = {
        "step": step,
        "number": step - verbs.TOPICS + 1,
        "steps": len(verbs.STEPS),
        "programme": programme,
    }
    if step == verbs.TOPICS:
        context["topics"] = verbs.offered()
        context["languages"] = Person.Language.choices
    elif step == verbs.REACH:
        daily = next((one for one in reaching.wishes(person).values() if one.at), None)
        context["ways"] = [way for way in Way if way in offered(person)]
        context["way"] = request.POST.get("reach") or (daily.way if daily else "")
        context["at"] = f"{daily.at:%H:%M}" if daily else "07:30"
    else:
        context["suggestion"] = verbs.rehearsal(person, timezone.now())
    if typed is not None:
        context |= {"at": typed, "error": time_refused(programme)}
    return render(request, "welcome.html", context, status=422 if typed is not None else 200)
