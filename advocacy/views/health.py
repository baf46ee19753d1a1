"""For supervisors, load balancers and whoever watches the installation."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from campaigns import watch


def health(request: HttpRequest) -> JsonResponse:
    """Answer 200 when web and database work."""
    del request
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"ok": True})


def ready(request: HttpRequest) -> JsonResponse:
    """Answer 503 when the database is gone, or when posts are due and no worker takes them.

    For monitoring: a web process is not to be restarted because workers stand still.
    """
    del request
    try:
        missing = "workers" if watch.waiting(now=timezone.now(), since=watch.STANDSTILL) else ""
    except DatabaseError:
        missing = "database"
    return JsonResponse(
        {"missing": missing} if missing else {"ok": True}, status=503 if missing else 200
    )
