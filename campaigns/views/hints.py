"""The door to one's own hints while writing."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors.models import Person
from campaigns import hinting


@require_POST
def hints(request: HttpRequest) -> HttpResponse:
    """Switch hints on or off; back to where the switches stand."""
    person = cast("Person", request.user)
    on = hinting.choose(by=person, kinds=request.POST.getlist("hints"))
    told = _("Switched on. Only you will see them.") if on else _("Off. You write undisturbed.")
    messages.success(request, told)
    return redirect("me")
