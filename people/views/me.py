"""About me: what a person says about themselves, and what others see of it."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import floatformat
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors import consents, languages
from ambassadors.models import Consent, Person
from campaigns import hinting
from campaigns.hints import Kind
from campaigns.models import Topic
from people import about, roster


def me(request: HttpRequest) -> HttpResponse:
    """Show what the person said, and keep what they change."""
    person, now = cast("Person", request.user), timezone.now()
    typed: dict[str, Any] = {
        "languages": set(person.languages or [person.language]),
        "interests": set(person.interests),
        "hours": "" if person.hours_per_month is None else floatformat(person.hours_per_month),
        "hours_shown": person.hours_shown,
    }
    errors: dict[str, str] = {}
    if request.method == "POST":
        typed = {
            "languages": set(request.POST.getlist("languages")),
            "interests": set(request.POST.getlist("interests")),
            "hours": request.POST.get("hours", "")[:40],
            "hours_shown": request.POST.get("hours_shown") == "yes",
        }
        try:
            about.describe(
                by=person,
                spoken=typed["languages"],
                interests=typed["interests"],
                hours_per_month=about.hours(typed["hours"]),
                hours_shown=typed["hours_shown"],
                now=now,
            )
        except about.AboutRefused as refused:
            errors = {refused.field: refused.sentence}
        else:
            messages.success(request, _("Kept. You can change it at any time."))
            return redirect("me")
    context = {"typed": typed, "errors": errors, **_seen(person)}
    return render(request, "me.html", context, status=422 if errors else 200)


def _seen(person: Person) -> dict[str, Any]:
    """What the page shows beside the form, with the rows exactly as the roster tells them."""
    version, wording = consents.WORDINGS[Consent.Purpose.ROSTER]
    given = Consent.objects.given().filter(person=person, purpose="roster").first()
    return {
        "languages": languages.choices(),
        "topics": Topic.objects.current(),
        "given": given,
        "wording": _(given.wording if given else wording),
        "newer": _(wording) if given and given.version != version else "",
        "hints": [(kind, kind in hinting.chosen(person)) for kind in Kind],
        "rows": list(roster.told(list(roster.of(person)), roster.topics())),
    }


@require_POST
def too_much(request: HttpRequest) -> HttpResponse:
    """It is too much at present, or no more."""
    person = cast("Person", request.user)
    if request.POST.get("answer") == "fine":
        about.take_back_too_much(by=person)
        messages.success(request, _("Good. Nothing of it stays."))
        return redirect("me")
    shown = request.POST.get("too_much_shown") == "yes"
    about.say_too_much(by=person, shown=shown, now=timezone.now())
    said = _("Your row in the roster says so now.") if shown else _("Kept to yourself.")
    messages.success(request, said)
    return redirect("me")
