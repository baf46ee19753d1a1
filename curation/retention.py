"""How long the rows of the newsroom are kept (:mod:`ambassadors.retention`)."""

from django.utils.translation import gettext_noop

from ambassadors.retention import Kept

from .models import Comment, Draft

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
)
