"""The practice wall: a page for its owner, and a small API that behaves like a network."""

import datetime as dt
import json
import uuid
from typing import cast

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from ambassadors.models import Person
from integrations.accounts import wall_token_hash
from integrations.models import ConnectedAccount, WallPost

_LIMIT = 500


def _account(request: HttpRequest) -> ConnectedAccount | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not token:
        return None
    return ConnectedAccount.objects.filter(
        network="wall", disconnected_at__isnull=True, features__token_sha256=wall_token_hash(token)
    ).first()


def _json(post: WallPost, status: int) -> JsonResponse:
    return JsonResponse(
        {"id": str(post.pk), "url": f"{reverse('wall')}#post-{post.pk}"}, status=status
    )


@csrf_exempt
def wall_posts(request: HttpRequest) -> HttpResponse:
    """POST makes one post for each key; GET finds by key, or reads figures by ids."""
    account = _account(request)
    if account is None:
        return JsonResponse({"error": "unknown token"}, status=401)
    if request.method == "POST":
        return _put(request, account)
    mine = WallPost.objects.filter(account=account, removed_at__isnull=True)
    try:
        if key := request.GET.get("key"):
            post = mine.filter(key=uuid.UUID(key)).first()
            return _json(post, 200) if post else JsonResponse({"error": "absent"}, status=404)
        ids = [uuid.UUID(i) for i in request.GET.get("ids", "").split(",") if i][:100]
    except ValueError:
        return JsonResponse({"error": "malformed id"}, status=400)
    return JsonResponse(
        {
            str(post.pk): {"likes": post.likes, "reposts": post.reposts, "replies": post.replies}
            for post in mine.filter(pk__in=ids)
        }
    )


def _put(request: HttpRequest, account: ConnectedAccount) -> JsonResponse:
    try:
        key = uuid.UUID(request.headers.get("Idempotency-Key", ""))
        body = json.loads(request.body)
        text = body["text"]
        if not isinstance(text, str) or not text or "\x00" in text:
            raise ValueError  # noqa: TRY301 - one answer for every malformed body
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"error": "malformed"}, status=422)
    if len(text) > _LIMIT * 8:
        return JsonResponse({"error": "too long"}, status=422)
    try:
        with transaction.atomic():
            post = WallPost.objects.create(
                account=account,
                key=key,
                text=text,
                language=str(body.get("language", ""))[:12],
                link_url=str(body.get("link", "")),
                alt=str(body.get("alt", "")),
                created_at=timezone.now(),
            )
    except IntegrityError:
        return _json(WallPost.objects.get(account=account, key=key), 200)
    return _json(post, 201)


@csrf_exempt
def wall_post(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """DELETE takes an own post off the wall."""
    account = _account(request)
    if account is None:
        return JsonResponse({"error": "unknown token"}, status=401)
    if request.method != "DELETE":
        return JsonResponse({"error": "method"}, status=405)
    now: dt.datetime = timezone.now()
    gone = WallPost.objects.filter(account=account, pk=pk, removed_at__isnull=True).update(
        removed_at=now
    )
    return HttpResponse(status=204 if gone else 404)


def wall(request: HttpRequest) -> HttpResponse:
    """Show the person's own wall: nobody else sees it."""
    person = cast("Person", request.user)
    posts = WallPost.objects.filter(account__person=person, removed_at__isnull=True)
    return render(request, "wall.html", {"posts": posts[:50]})
