"""What is kept about somebody: theirs to take at any time, and once more after they have left."""

import re
import tempfile
from typing import IO, cast

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from advocacy import takeout as data
from ambassadors import agreement
from ambassadors.models import Person, PrivateAddress
from ambassadors.takeout import tables
from campaigns.models import Delivery
from integrations import takeouts
from integrations.models import ConnectedAccount
from reception.views import codes

from .agreement import said


def my_data(request: HttpRequest) -> HttpResponseBase:
    """Say what is kept; on POST hand it over as a file."""
    if request.method == "POST":
        return _file(_packed(cast("Person", request.user)))
    return _page(request)


def _packed(person: Person) -> IO[bytes]:
    """The person's data in a file of their own that is gone when it is closed."""
    made = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    data.write(person=person, to=made, now=timezone.now())
    made.seek(0)
    return made


def _file(made: IO[bytes]) -> FileResponse:
    name = f"botschaft-{timezone.localdate():%Y-%m-%d}.zip"
    return FileResponse(made, as_attachment=True, filename=name, content_type="application/zip")


def _page(request: HttpRequest, *, typed: str = "", error: str = "") -> HttpResponse:
    person = cast("Person", request.user)
    entries = list(agreement.looks_at(person)[:20])
    wanted = {entry.actor_id for entry in entries if entry.actor_id}
    names = dict(Person.objects.filter(pk__in=wanted).values_list("pk", "name"))
    looks = [(entry.at, names.get(entry.actor_id or 0, "–"), said(entry.act)) for entry in entries]
    context = {
        "titles": sorted({_(table.title) for table in tables()}),
        "kept": PrivateAddress.objects.filter(person=person).first(),
        "looks": looks,
        "typed": typed,
        "error": error,
        "waiting": Delivery.objects.filter(post__person=person, state="queued").count()
        if person.leaves_on
        else 0,
        "accounts": ConnectedAccount.objects.of(person).count() if person.leaves_on else 0,
    }
    return render(request, "my_data.html", context, status=422 if error else 200)


@require_POST
def address(request: HttpRequest) -> HttpResponse:
    """Name the address outside where one's data shall go, or take it back."""
    person, now = cast("Person", request.user), timezone.now()
    if request.POST.get("act") == "forget":
        takeouts.forget_address(person=person, now=now)
        messages.success(request, _("The address is deleted."))
        return redirect("my_data")
    typed = request.POST.get("address", "").replace("\x00", "")
    try:
        kept = takeouts.name_address(person=person, typed=typed, now=now)
    except takeouts.AddressRefused as refused:
        return _page(request, typed=typed[:1000], error=str(refused))
    if takeouts.ask_to_confirm(kept):
        messages.success(request, _("A mail went there. It counts once you have said yes in it."))
    else:
        messages.error(request, _("The mail could not be sent. Please name it again later."))
    return redirect("my_data")


def confirm(request: HttpRequest, old: str = "") -> HttpResponse:
    """From the mail: say that the address is one's own. Needs no login."""
    try:
        kept = codes.opened(
            request, lambda text: takeouts.asked_address(_code(text)), door="takeout", old=old
        )
    except codes.Shut as shut:
        title = _("Is this your address?")
        return codes.page(
            request, shut, title=title, action=reverse("takeout_address"), frame="base.html"
        )
    if request.POST.get("act") == "yes":
        takeouts.confirm(kept=kept, now=timezone.now())
        kept.refresh_from_db()
    with translation.override(kept.person.language):
        context = {"kept": kept, "code": _code(request.POST["code"])}
        return codes.private(render(request, "takeout_address.html", context))


def _code(text: str) -> str:
    """What stands at the end of a link that somebody pasted, or the code alone."""
    return re.split(r"[#/]", "".join(text.split()).rstrip("/"))[-1]


def takeout(request: HttpRequest, old: str = "") -> HttpResponseBase:
    """The page of a link after leaving; its button hands the data over, once."""
    now = timezone.now()
    try:
        found = codes.opened(
            request, lambda text: takeouts.of_link(_code(text)), door="takeout", old=old
        )
    except codes.Shut as shut:
        title = _("Your data from Botschaft")
        return codes.page(request, shut, title=title, action=reverse("takeout"), frame="base.html")
    good = found.used_at is None and found.expires_at > now
    if good and request.POST.get("act") == "take":
        made = _packed(found.person)  # first, so that a failure does not spend the link
        if takeouts.use(takeout=found, now=now):
            return _file(made)
        made.close()
        found.refresh_from_db()
        good = False
    with translation.override(found.person.language):
        context = {"takeout": found, "good": good, "code": _code(request.POST["code"])}
        page = render(request, "takeout.html", context, status=200 if good else 410)
    return codes.private(page)
