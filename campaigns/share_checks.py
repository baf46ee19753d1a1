"""What speaks against a share: each check refuses with a sentence beside its field."""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.models import ConnectedAccount
from integrations.networks import get

from . import disclosure, identical, pictures, wording
from .models import Suggestion, Variant
from .refusals import FieldRefused

LONGEST_TEXT = 20_000  # characters; above it no network would take the text
MOST_PARTS = 20


class ShareRefused(FieldRefused):
    """The share did not happen; ``field`` says where the sentence belongs."""


def check_text(text: str, drafts: Iterable[str] = ()) -> None:
    """Refuse an empty text, one nobody could read, or one with an open gap of its drafts."""
    if wording.is_blank(text):
        raise ShareRefused("text", _("There is no text yet."))
    if len(text) > LONGEST_TEXT:
        raise ShareRefused(
            "text",
            _("This text has %(count)s characters; no network takes that many.")
            % {"count": len(text)},
        )
    if wording.is_stacked(text):
        raise ShareRefused("text", _("Too many marks stand on one letter."))
    if wording.open_gaps(text, drafts):
        raise ShareRefused("text", _("One blue gap is still empty."))


def check_parts(text: str, variant: Variant) -> list[str]:
    """The parts of the text, at least one. Refuses what :func:`check_text` refuses in any."""
    parts = wording.parts(text)
    wordings = variant.suggestion.variant_set.all()
    drafts = [one.text for one in wordings]
    if len(parts) == 1:
        check_text(text, drafts)
        return [text]
    if len(parts) > MOST_PARTS:
        raise ShareRefused("text", _("More than %(most)s parts.") % {"most": MOST_PARTS})
    for number, part in enumerate(parts, 1):
        if not part:
            raise ShareRefused("text", _("Part %(number)s is empty.") % {"number": number})
        check_text(part, drafts)
    return parts


def limit_of(account: ConnectedAccount) -> int:
    """The longest text the account's own server takes, in its network's unit."""
    own = account.features.get("max_characters")
    return own if isinstance(own, int) else get(account.network).abilities.limit


def check_length(
    network: str, full_text: str, account: ConnectedAccount | None = None, *, warning: str = ""
) -> None:
    """Refuse a text over the network's limit, counted in the network's own unit.

    A content warning counts with the text (Mastodon's ``max_characters``).
    """
    abilities = get(network).abilities
    limit = limit_of(account) if account else abilities.limit
    over = get(network).length(full_text) + get(network).length(warning) - limit
    if over > 0:
        raise ShareRefused(
            "text",
            ngettext(
                "%(network)s: %(over)s character too long.",
                "%(network)s: %(over)s characters too long.",
                over,
            )
            % {"network": abilities.label, "over": over},
        )
    if abilities.byte_limit and len(full_text.encode()) > abilities.byte_limit:
        raise ShareRefused("text", _("%(network)s: too many bytes.") % {"network": abilities.label})


def check_picture(network: str, suggestion: Suggestion, now: dt.datetime) -> None:
    """Refuse a post without a picture where the network makes none, and a barred picture.

    Raises :class:`ShareRefused`.
    """
    able = get(network).abilities
    if suggestion.picture and (why := pictures.why_barred(suggestion.picture, on=now.date())):
        raise ShareRefused("to", why)
    if able.needs_picture and suggestion.picture_id is None:
        sentence = _("%(network)s needs a picture, and this suggestion has none.")
        raise ShareRefused("to", sentence % {"network": able.label})


def check_thread(network: str) -> None:
    """Refuse several parts where the network has no threads."""
    abilities = get(network).abilities
    if not abilities.threads:
        raise ShareRefused(
            "text",
            _("%(network)s has no threads: take out the line ---.") % {"network": abilities.label},
        )


def check_label(suggestion: Suggestion, label: disclosure.Label) -> None:
    """Refuse what advertises while no rule gives it a label."""
    if suggestion.content_class in disclosure.COMMERCIAL and not label.text:
        raise ShareRefused(
            "", _("The label that the law asks for is missing. Please tell the newsroom.")
        )


def check_identical(
    suggestion: Suggestion,
    text: str,
    language: str,
    accounts: Sequence[ConnectedAccount],
    now: dt.datetime,
    country: str = "",
) -> None:
    """Refuse a text that another account already says where the network forbids that."""
    for network in sorted({account.network for account in accounts}):
        label = disclosure.label_for(suggestion, network, language, country)
        theirs = [account for account in accounts if account.network == network]
        if identical.taken(text, label.text, theirs, suggestion, now=now):
            raise ShareRefused(
                "text",
                _(
                    "%(network)s forbids the same text on several accounts, and nearly these words"
                    " are there already. Say it in your own words."
                )
                % {"network": get(network).abilities.label},
            )


def check_live(suggestion: Suggestion, now: dt.datetime) -> None:
    """Refuse a suggestion that was held, withdrawn or is over, in words that say which."""
    if suggestion.is_live(now):
        return
    if suggestion.is_held or suggestion.topic.is_held:
        sentence = _("This topic is on hold. Your text is kept; please do not post it now.")
    elif suggestion.expires_at and suggestion.expires_at <= now:
        sentence = _("This suggestion is over. Your text is kept.")
    else:
        sentence = _("This suggestion was withdrawn. Your text is kept.")
    raise ShareRefused("", sentence)
