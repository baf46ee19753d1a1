"""What leaves: everything that was approved, equal on every try (I6)."""

import datetime as dt

from django.conf import settings

from integrations.networks import get
from integrations.networks.base import Document, Link, Outgoing, Picture

from .models import Delivery, Post
from .renditions import public_url


def outgoing(delivery: Delivery) -> Outgoing:
    """Read the post of a delivery as the network file takes it."""
    post = delivery.post
    before = part_before(post)
    return Outgoing(
        key=str(delivery.key),
        rkey=delivery.rkey,
        written_at=delivery.written_at,
        text=post.full_text,
        language=post.language,
        link=_link(post),
        pictures=_pictures(post, delivery.account.network),
        document=_document(post),
        visibility=post.visibility,
        content_warning=post.content_warning,
        reply_to=before.remote_id if before else "",
        root=_root(post).remote_id if before else "",
        first_tried_at=delivery.first_tried_at,
        taken=_taken(delivery) if delivery.first_tried_at else frozenset(),
        kept=delivery.kept,
    )


def short_url(code: str) -> str:
    """The address of a tracked link, from LINK_URL and never from a request."""
    return f"{settings.LINK_URL}/r/{code}"


def part_before(post: Post) -> Delivery | None:
    """The delivery of the thread's part that must stand before this one, None for a first part."""
    return Delivery.objects.get(post=post.before_id) if post.before_id else None


def _root(post: Post) -> Delivery:
    while post.before:
        post = post.before
    return Delivery.objects.get(post=post)


def _link(post: Post) -> Link | None:
    suggestion = post.suggestion
    if not post.link or not suggestion:
        return None
    return Link(
        url=short_url(post.link.code),
        title=suggestion.link_title,
        description=suggestion.link_description,
    )


def _pictures(post: Post, network: str) -> tuple[Picture, ...]:
    """The frozen bytes of the post's pictures, in their order; their address where it is needed."""
    found = []
    fetches = get(network).abilities.fetches_pictures
    for row in filter(None, [post.picture, *post.more_pictures.all()]):
        with row.file.open("rb") as file:
            content = file.read()
        alt = row.alt(post.language)
        url = public_url(row, network) if fetches else ""
        found.append(Picture(content, row.media_type, alt, row.width, row.height, url))
    return tuple(found)


def _document(post: Post) -> Document | None:
    if not post.document:
        return None
    with post.document.file.open("rb") as file:
        return Document(file.read(), post.document.title)


def _taken(delivery: Delivery) -> frozenset[str]:
    """Remote ids of the account's other posts around this one: no proof for it."""
    since = (delivery.first_tried_at or delivery.written_at) - dt.timedelta(days=1)
    others = Delivery.objects.filter(account=delivery.account_id, sent_at__gte=since)
    return frozenset(others.values_list("remote_id", flat=True))
