"""Pages for when something is not right: what happened, that the text is safe, what next.

Programs that call the API are told the same as a problem (RFC 9457).
"""

import re

from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.shortcuts import render
from django.template import loader

from advocacy.api import problems
from advocacy.policies import name_of
from ambassadors import security_log
from ambassadors.kept import typed_in
from ambassadors.security_log import Event

_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # of a form; nobody typed it


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The request could not be read, or was too large."""
    if problem := problems.answer(request, 400):
        return problem
    if type(exception).__name__ == "RequestDataTooBig":
        return too_large(request)
    return render(request, "errors/400.html", status=400)


def too_large(request: HttpRequest) -> HttpResponse:
    """More was sent than the address takes; nothing of it was read."""
    return render(request, "errors/400.html", {"too_big": True}, status=413)


def unkept(request: HttpRequest) -> HttpResponse:
    """The login has ended, and what was typed is not kept over the next: it stands on the page.

    403, by which pages that save by themselves know that nothing was saved.
    """
    sent = [value.strip() for _name, values in typed_in(request).lists() for value in values]
    context = {"text": "\n\n".join(text for text in sent if text and not _KEY.fullmatch(text))}
    return render(request, "errors/unkept.html", context, status=403)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page belongs to another role."""
    del exception
    _tell(Event.PAGE_REFUSED, request)
    if problem := problems.answer(request, 403):
        return problem
    return render(request, "errors/403.html", status=403)


def _tell(event: Event, request: HttpRequest) -> None:
    """Log the page by the name of its address, which holds nobody's number."""
    security_log.tell(event, page=name_of(request), person=request.user.pk)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """There is nothing here, or it is not this person's."""
    del exception
    if problem := problems.answer(request, 404):
        return problem
    return render(request, "errors/404.html", status=404)


def only_forms(request: HttpRequest, refused: HttpResponse) -> HttpResponse:
    """An address that takes forms alone was opened, by a reload or by hand."""
    if refused.content:  # an answer to a program
        return refused
    page = render(request, "errors/404.html", {"only_forms": True}, status=405)
    page["Allow"] = refused["Allow"]
    return page


def too_many(request: HttpRequest) -> HttpResponse:
    """Too many tries in a short time; allauth's limits answer with this page, too."""
    text = request.POST.get("text", "")
    answer = render(request, "errors/429.html", {"text": text}, status=429)
    answer["Retry-After"] = "60"
    return answer


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was too old; what was typed stands on the page."""
    del reason
    _tell(Event.FORM_REFUSED, request)
    return render(request, "errors/csrf.html", {"text": request.POST.get("text", "")}, status=403)


def broken(request: HttpRequest) -> HttpResponse:
    """Our mistake. Needs no database and no context."""
    if problem := problems.answer(request, 500):
        return problem
    return HttpResponseServerError(loader.render_to_string("errors/500.html"))
