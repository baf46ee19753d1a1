"""What Today is compared with: Django and one empty view that knows its session and its person.

Settings and addresses in one module, as in :mod:`bench.one_select`; the same web server.
"""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from advocacy.settings import *  # noqa: F403 - the product's, but for what follows

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",  # without it allauth refuses to start
]
ROOT_URLCONF = __name__


def view(request: HttpRequest) -> HttpResponse:
    """Say who asks."""
    words = f"Hello, {request.user}."
    return HttpResponse(words, headers={"Content-Length": len(words.encode())})


urlpatterns = [path("", view), path("healthz", lambda _request: HttpResponse("it listens"))]
