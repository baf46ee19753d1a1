"""The switch for notifications of one device; the script of its page asks here."""

import logging
from typing import cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ambassadors.models import Person
from campaigns import pushes
from integrations import push

log = logging.getLogger(__name__)


@require_http_methods(["GET", "POST"])
def device(request: HttpRequest) -> HttpResponse:
    """GET: what a browser subscribes with. POST: this device on, or off."""
    person, now = cast("Person", request.user), timezone.now()
    if request.method == "GET":
        return JsonResponse({"key": push.public_key(now=now)})
    endpoint = request.POST.get("endpoint", "")
    if request.POST.get("act") == "off":
        pushes.switch_off(by=person, endpoint=endpoint)
        return HttpResponse(status=204)
    try:
        pushes.switch_on(
            by=person,
            endpoint=endpoint,
            p256dh=request.POST.get("p256dh", ""),
            auth=request.POST.get("auth", ""),
            now=now,
        )
    except push.NotADevice as refused:
        log.warning("a device was not registered: %s", refused)
        said = _("The service behind this browser is not one that we may write to.")
        return JsonResponse({"said": said}, status=422)
    return HttpResponse(status=204)
