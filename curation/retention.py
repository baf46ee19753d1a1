"""How long the rows of the newsroom are kept (:mod:`ambassadors.retention`)."""

from django.utils.translation import gettext_noop

from ambassadors.retention import Kept

from . import previews
from .models import Comment, Draft, LinkPreview, TagDay

KEPT = (
    Kept(
        name="drafts",
        title=gettext_noop("Unsaved drafts of the desk"),
        why=gettext_noop("So that a closed window loses nothing."),
        days=30,
        least=7,
        most=90,
        rows=lambda before: Draft.objects.filter(at__lt=before),
    ),
    Kept(
        name="remarks",
        title=gettext_noop("Settled remarks on suggestions"),
        why=gettext_noop("So that somebody can see why a text reads as it does."),
        days=365,
        least=30,
        most=730,
        rows=lambda before: Comment.objects.filter(thread__isnull=True, settled_at__lt=before),
    ),
    Kept(
        name="previews",
        title=gettext_noop("What we read of pages that texts link to"),
        why=gettext_noop("So that a page is not asked for again by each of us."),
        days=7,
        least=1,
        most=30,
        rows=lambda before: LinkPreview.objects.filter(read_at__lt=before),
        let_go=previews.let_go,
    ),
    Kept(
        name="tags",
        title=gettext_noop("Counts of watched hashtags, by day"),
        why=gettext_noop("For a comparison with the year before. They hold no name."),
        days=400,
        least=60,
        most=800,
        rows=lambda before: TagDay.objects.filter(day__lt=before.date()),
    ),
)
