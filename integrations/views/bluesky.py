"""What Botschaft tells Bluesky's authorisation servers about itself, for anybody to read."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from integrations import clients, trips
from integrations.networks import bluesky_oauth
from integrations.networks.base import CLIENT_NAME, App


def _app() -> App:
    """Our client; 404 in development, where the id says everything itself."""
    app = clients.configured("bluesky")
    if app is None or not app.client_id.startswith("https://"):
        raise Http404
    return app


def _json(found: dict[str, Any]) -> JsonResponse:
    response = JsonResponse(found)
    response["Cache-Control"] = "public, max-age=300"
    return response


@require_GET
def metadata(request: HttpRequest) -> JsonResponse:
    """Describe the client whose id is this very address."""
    del request
    return _json(
        bluesky_oauth.client_metadata(
            _app(),
            name=CLIENT_NAME,
            site_url=settings.SITE_URL,
            redirect_uri=trips.redirect_uri("bluesky"),
        )
    )


@require_GET
def jwks(request: HttpRequest) -> JsonResponse:
    """Show the public halves of the client's keys."""
    del request
    return _json(bluesky_oauth.jwks(_app()))


@require_GET
def local(request: HttpRequest) -> HttpResponse:
    """In development lead from 127.0.0.1, where Bluesky sends people, home to localhost."""
    if not settings.SITE_URL.startswith("http://"):
        raise Http404
    response = HttpResponse(status=302)
    response["Location"] = f"{trips.redirect_uri('bluesky')}?{request.META.get('QUERY_STRING', '')}"
    return response
