"""Link previews: a page is read by our server, once for all, and its picture re-encoded by us."""

import datetime as dt
import hashlib

from django.core.files.base import ContentFile

from campaigns import uploads
from integrations import feed_pages
from integrations.feed_rows import Unreadable
from integrations.safe_fetch import NotFetched, fetch

from .models import LinkPreview
from .sources import own_hosts

PAGE_SECONDS = 5.0  # somebody is waiting
PICTURE_SECONDS = 3.0
_PICTURE_BYTES = 5_000_000
FRESH = dt.timedelta(hours=1)
_FAILED_FRESH = dt.timedelta(minutes=1)  # so that pressing again soon asks again


def look(url: str, *, now: dt.datetime) -> LinkPreview:
    """Read a page, or what we read of it just now; says ``why`` when nothing could be read."""
    key, old = _key(url), ""
    known = LinkPreview.objects.filter(url_key=key).first()
    if known and now - known.read_at < (_FAILED_FRESH if known.why else FRESH):
        return known
    preview = known or LinkPreview(url_key=key, url=url[:1000])
    preview.read_at = now
    try:
        page = fetch(url, own_hosts=own_hosts(), seconds=PAGE_SECONDS)
        card = feed_pages.card(page)
    except NotFetched as error:
        preview.why, preview.detail = error.why, str(error.status or "")
    except Unreadable as error:
        preview.why, preview.detail = error.why, error.detail
    else:
        preview.why = preview.detail = ""
        preview.title, preview.description = card.title, card.description
        preview.site = card.site
        old = preview.picture.name or ""
        preview.picture, preview.width, preview.height = "", 0, 0
        _keep_picture(preview, card.picture)
    facts = {
        field.name: getattr(preview, field.name)
        for field in LinkPreview._meta.fields  # noqa: SLF001 - Django's documented name
        if field.name not in {"id", "url_key"}
    }
    kept = LinkPreview.objects.update_or_create(url_key=key, defaults=facts)[0]
    if old and old != kept.picture.name:
        kept.picture.storage.delete(old)
    return kept


def _key(url: str) -> str:
    return hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()


def _keep_picture(preview: LinkPreview, address: str) -> None:
    """Fetch and re-encode the page's picture; a page without one is still a page."""
    if not address:
        return
    try:
        page = fetch(
            address, own_hosts=own_hosts(), seconds=PICTURE_SECONDS, max_bytes=_PICTURE_BYTES
        )
        encoded = uploads.encode(page.body)
    except (NotFetched, uploads.PictureRefused):
        return
    name = f"{hashlib.sha256(encoded.content).hexdigest()[:32]}.jpg"
    preview.picture.save(name, ContentFile(encoded.content), save=False)
    preview.width, preview.height = encoded.width, encoded.height


def known(url: str) -> LinkPreview | None:
    """What we read of a page, however long ago; nothing is fetched."""
    return LinkPreview.objects.filter(url_key=_key(url), why="").first() if url else None


def let_go(batch: list[LinkPreview], now: dt.datetime) -> int:
    """Delete what was read, pictures included; returns how many."""
    del now
    for preview in batch:
        if preview.picture:
            preview.picture.delete(save=False)
        preview.delete()
    return len(batch)
