"""Remarks beside the editor: said and settled without touching what is being typed."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from ambassadors.models import Person
from campaigns.models import Suggestion
from curation import comments, forms
from curation.models import Comment

from .editor import page, remarks, remarks_shown, typed


@require_POST
def comment(request: HttpRequest, pk: int) -> HttpResponse:
    """Say, answer, settle or open again.

    With htmx only the remarks are drawn anew. Without, the button sends the whole editor along,
    and the editor comes back as it was typed.
    """
    rows = Suggestion.objects.select_related("picture", "topic")
    suggestion = get_object_or_404(rows, pk=pk)
    person, now = cast("Person", request.user), timezone.now()
    act, _sep, number = request.POST.get("remark", "").partition("-")
    mine = Comment.objects.filter(suggestion=suggestion, thread=None)
    about = mine.filter(pk=forms.number(number, 18)).first()
    left, trouble, place = remarks(request.POST), "", str(about.pk) if about else "new"
    if act == "settle" and about:
        comments.settle(comment=about, by=person, now=now)
    elif act == "reopen" and about:
        comments.reopen(comment=about, by=person, now=now)
    else:
        text = request.POST.get(f"comment-{place}", "")
        try:
            comments.say(suggestion=suggestion, text=text, thread=about, by=person, now=now)
            left.pop(place, None)
        except comments.NotSaid as error:
            trouble = str(error)
    if "HX-Request" in request.headers:
        context = {
            **remarks_shown(suggestion, left),
            "suggestion": suggestion,
            "trouble": trouble,
            "focus": place,
        }
        return render(request, "parts/editor_comments.html", context)
    if trouble:
        messages.error(request, trouble)
    opened = typed(request, suggestion)
    opened.form.is_valid()
    return page(request, opened, left)
