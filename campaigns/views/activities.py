"""What one may do by hand: put a request away, done or not."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from ambassadors.models import Person
from campaigns import activities
from campaigns.models import Activity


@require_POST
def put_away(request: HttpRequest, pk: int) -> HttpResponse:
    """Both buttons do the same, so that not even the database knows which was pressed."""
    activity = get_object_or_404(Activity, pk=pk)
    activities.put_away(activity=activity, person=cast("Person", request.user))
    return redirect("today")
