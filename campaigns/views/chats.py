"""Rooms of Slack and Teams: an administrator adds one, and a greeting proves that it works."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors.models import Person
from campaigns import chat_messages
from integrations import chats as verbs
from integrations.models import ChatRoom

# What Slack makes an app of; the scopes are what `integrations/slack.py` calls.
MANIFEST = """\
display_information:
  name: Botschaft
features:
  bot_user:
    display_name: Botschaft
    always_online: true
  app_home:
    messages_tab_enabled: true
    messages_tab_read_only_enabled: true
oauth_config:
  scopes:
    bot:
      - chat:write
      - chat:write.public
      - users:read
      - users:read.email
"""


def chats(request: HttpRequest) -> HttpResponse:
    """List the rooms, and add one."""
    if request.method != "POST":
        return _page(request)
    typed = _typed(request)
    hello = chat_messages.hello(typed.service, typed.language)
    try:
        room = verbs.add(
            by=cast("Person", request.user), typed=typed, hello=hello, now=timezone.now()
        )
    except verbs.ChatRefused as refused:
        return _page(request, refused=refused, service=typed.service)
    messages.success(request, _("%(name)s is connected.") % {"name": room.name})
    return redirect("chats")


def _typed(request: HttpRequest) -> verbs.Typed:
    """What was typed, in its bounds; where it makes no sense the verb says so."""

    def text(name: str, most: int) -> str:
        return request.POST.get(name, "").replace("\x00", "").strip()[:most]

    teams = request.POST.get("service") == ChatRoom.Service.TEAMS
    language = request.POST.get("language", "")
    return verbs.Typed(
        service=ChatRoom.Service.TEAMS if teams else ChatRoom.Service.SLACK,
        name=text("name", 80),
        secret=text("secret", 2000),
        room="" if teams else text("room", 40),
        language=language if language in dict(Person.Language.choices) else "de",
        direct=not teams and request.POST.get("direct") == "yes",
    )


def _page(
    request: HttpRequest, *, refused: verbs.ChatRefused | None = None, service: str = ""
) -> HttpResponse:
    context = {
        "rooms": ChatRoom.objects.all(),
        "languages": Person.Language.choices,
        "manifest": MANIFEST,
        "at": service,
        "field": refused.field if refused else "",
        "error": refused.sentence if refused else "",
        # Without the secret: it is typed anew rather than sent back in a page.
        "typed": {name: text for name, text in request.POST.items() if name != "secret"},
    }
    return render(request, "chats.html", context, status=422 if refused else 200)


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Write no more to a room, and forget its secret."""
    room = get_object_or_404(ChatRoom, pk=pk)
    verbs.remove(room=room, by=cast("Person", request.user), now=timezone.now())
    messages.success(request, _("%(name)s is removed; its key is deleted.") % {"name": room.name})
    return redirect("chats")
