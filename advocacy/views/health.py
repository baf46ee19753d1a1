"""For supervisors, load balancers and whoever watches the installation."""

import secrets

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from advocacy import gauges
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


def metrics(request: HttpRequest) -> HttpResponse:
    """Gauges for Prometheus, for whoever has METRICS_TOKEN; without one there is no such page."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not secrets.compare_digest(given.encode(), settings.METRICS_TOKEN.encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    return HttpResponse(gauges.text(now=timezone.now()), content_type=CONTENT_TYPE_PLAIN_0_0_4)
