"""What is the token's own: the token itself, and its person's posts and short links."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request

from campaigns.models import Post, ShortLink
from integrations import api_tokens
from integrations.models import ApiToken

from .endpoint import Endpoint, listing, operation

_TAG = "Mine"


class TokenBody(serializers.Serializer[ApiToken]):
    """The token that asks."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(ApiToken.Kind.values)
    scopes = serializers.SerializerMethodField(help_text="What it opens at this moment.")
    expires_at = serializers.DateTimeField()

    def get_scopes(self, token: ApiToken) -> list[str]:
        """Those of its scopes that its person still has the right to."""
        return [scope for scope in token.scopes if api_tokens.allows(token, scope)]


class Token(Endpoint):
    """``/token``."""

    @operation("read_token", "", TokenBody, tag=_TAG)
    def get(self, request: Request) -> Any:
        """Read what this token opens. Every token may."""
        return self.token(request)


class PostBody(serializers.Serializer[Post]):
    """A post of yours, with what you alone may know of it."""

    id = serializers.IntegerField(source="pk")
    suggestion = serializers.IntegerField(source="suggestion_id", allow_null=True)
    network = serializers.CharField()
    how = serializers.ChoiceField(Post.How.values)
    text = serializers.CharField()
    full_text = serializers.CharField(help_text="With disclosure and link, as it left.")
    language = serializers.CharField()
    own_share = serializers.IntegerField(help_text="Per cent of the words that are yours.")
    created_at = serializers.DateTimeField()
    state = serializers.CharField(
        source="delivery.state", default=None, allow_null=True,
        help_text="Of a post that Botschaft publishes; null for copied and opened ones.",
    )  # fmt: skip
    link = serializers.CharField(source="link.code", default=None, allow_null=True)
    likes = serializers.IntegerField(allow_null=True)
    reposts = serializers.IntegerField(allow_null=True)
    replies = serializers.IntegerField(allow_null=True)
    quotes = serializers.IntegerField(allow_null=True)


class Posts(Endpoint):
    """``/posts``."""

    @listing("list_posts", "posts:read", PostBody, tag=_TAG, order=("-created_at", "-pk"))
    def get(self, request: Request) -> "QuerySet[Post]":
        """List your own posts, the newest first."""
        return _posts(self, request)


class OnePost(Endpoint):
    """``/posts/{id}``."""

    @operation("read_post", "posts:read", PostBody, tag=_TAG, finds=True)
    def get(self, request: Request, pk: int) -> Post:
        """Read a post of yours."""
        return get_object_or_404(_posts(self, request), pk=pk)


def _posts(endpoint: Endpoint, request: Request) -> "QuerySet[Post]":
    return Post.objects.of(endpoint.person(request)).select_related("delivery", "link")


class LinkBody(serializers.Serializer[ShortLink]):
    """A short link of yours. Clicks are estimated, and told to you alone."""

    id = serializers.IntegerField(source="pk")
    code = serializers.CharField()
    address = serializers.SerializerMethodField()
    target = serializers.CharField()
    post = serializers.IntegerField(source="post.pk")
    clicks = serializers.IntegerField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)

    def get_address(self, link: ShortLink) -> str:
        """Where it is called."""
        return f"{settings.LINK_URL}/r/{link.code}"


class Links(Endpoint):
    """``/links``."""

    @listing("list_links", "posts:read", LinkBody, tag=_TAG, order=("-pk",))
    def get(self, request: Request) -> "QuerySet[ShortLink]":
        """List your own short links, the newest first."""
        return ShortLink.objects.filter(post__person=self.person(request)).select_related("post")
