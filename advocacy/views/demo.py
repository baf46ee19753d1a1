"""One-click logins into the fictional company. Closed outside the demonstration."""

from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from advocacy import throttle
from ambassadors.models import Person

# One person for each role, by address in the demo's data.
PEOPLE = {
    "employee": "jona.harms@nordwind-energie.example",
    "joiner": "svea.lund@nordwind-energie.example",
    "curator": "mirja.thomsen@nordwind-energie.example",
    "reviewer": "dilan.kaya@nordwind-energie.example",
    "hr": "selin.aydin@nordwind-energie.example",
    "legal": "elif.sahin@nordwind-energie.example",
    "auditor": "heike.clausen@nordwind-energie.example",
    "administrator": "piet.lorenzen@nordwind-energie.example",
}


def demo_login(request: HttpRequest, role: str) -> HttpResponse:
    """Sign in as the demo's person of a role."""
    person = Person.objects.filter(email_normalised=PEOPLE.get(role, "")).first()
    if person is None:
        raise Http404
    login(request, person, backend="allauth.account.auth_backends.AuthenticationBackend")
    request.session["demo"] = True  # such a login has no second proof to give
    answer = redirect("today")
    throttle.know(answer, person.email)
    return answer
