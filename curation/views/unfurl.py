"""The card under the editor's link field, and its picture from our own server."""

from django.forms import URLField, ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from curation import previews
from curation.models import LinkPreview
from integrations import reasons

FIELDS = ("link_title", "link_description")


def filled(form: QueryDict) -> tuple[QueryDict, dict[str, object]]:
    """Read the page of a form's link; its words go into empty fields only. For the template too."""
    data = form.copy()
    try:
        url = URLField(max_length=1000, assume_scheme="https").clean(
            form.get("link_url", "").strip()
        )
    except ValidationError:
        return data, {"unread": _("Type the address of a page first.")}
    preview = previews.look(url, now=timezone.now())
    if preview.why:
        sentence = _("We could not read the page. What you typed stays.")
        return data, {"unread": f"{sentence} {reasons.sentence(preview.why, preview.detail)}"}
    for name, words in (("link_title", preview.title), ("link_description", preview.description)):
        if not data.get(name, "").strip():
            data[name] = words
    return data, {"preview": preview}


@require_POST
def unfurl(request: HttpRequest) -> HttpResponse:
    """The two fields and the card, as a fragment of the editor."""
    data, context = filled(request.POST)
    typed = {name: data.get(name, "") for name in FIELDS}
    return render(request, "parts/unfurl.html", {**context, "typed": typed})


@require_safe
def picture(request: HttpRequest, pk: int) -> FileResponse:
    """Our copy of a page's picture."""
    del request
    row = get_object_or_404(LinkPreview.objects.exclude(picture=""), pk=pk)
    try:
        response = FileResponse(row.picture.open("rb"), content_type="image/jpeg")
    except FileNotFoundError as error:
        raise Http404 from error
    response["Content-Security-Policy"] = "sandbox"
    return response
