"""What a short link is compared with: Django and one view that does one indexed SELECT.

Settings and addresses in one module: no middleware of ours, no Redis, no counting, the same web server.
"""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from advocacy.settings import *  # noqa: F403 - the product's, but for what follows

# Without it allauth refuses to start; it does nothing here.
MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware"]
ROOT_URLCONF = __name__


def view(request: HttpRequest, code: str) -> HttpResponse:
    """Find a row by its code."""
    from campaigns.models import ShortLink  # noqa: PLC0415 - while settings load there is no Django

    del request
    found = ShortLink.objects.values_list("target", flat=True).get(code=code)
    return HttpResponse(found, headers={"Content-Length": len(found)})


urlpatterns = [
    path("r/<str:code>", view),
    path("healthz", lambda _request: HttpResponse("it listens")),
]
