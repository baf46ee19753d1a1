"""Door for the web server."""

import os
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "advocacy.settings")
if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
    from advocacy import tracing

    tracing.start("botschaft-web")
_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Hand a request on, with the scheme of SITE_URL: no header decides it (ASVS 4.1.3).

    The proxy in front speaks TLS to people, and is the only one that reaches us.
    """
    environ["wsgi.url_scheme"] = settings.SITE_URL.partition(":")[0]
    return _django(environ, start_response)
