"""A person shares: copy, open, or let Botschaft publish. One transaction each."""

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ambassadors import audit
from ambassadors.models import Consent, Person
from integrations.models import ConnectedAccount
from integrations.networks import get
from integrations.networks.bluesky import make_tid

from . import anonymity, disclosure, wording
from .deliveries import short_url
from .models import Delivery, Post, ShortLink, Suggestion, Variant
from .states import move_delivery

# A post that could not leave within this time after its moment is not sent any more.
PATIENCE = dt.timedelta(hours=24)
FARTHEST = dt.timedelta(days=90)
# The same words for the same network within this time are the same wish (back button, two tabs).
ONE_BREATH = dt.timedelta(minutes=10)
LONGEST_TEXT = 20_000  # characters; above it no network would take the text


class ShareRefused(Exception):
    """The share did not happen; ``field`` says where the sentence belongs."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Words:
    """What the person handed in: their text and where it started."""

    text: str
    variant: Variant
    submission: uuid.UUID


def check_text(words: Words) -> None:
    """Refuse an empty text, one with an open gap, or one nobody could read."""
    if not words.text:
        raise ShareRefused("text", _("There is no text yet."))
    if len(words.text) > LONGEST_TEXT:
        raise ShareRefused(
            "text",
            _("This text has %(count)s characters; no network takes that many.")
            % {"count": len(words.text)},
        )
    if wording.gaps(words.text):
        raise ShareRefused("text", _("One blue gap is still empty."))


def check_length(network: str, full_text: str, account: ConnectedAccount | None = None) -> None:
    """Refuse a text over the network's limit, counted in the network's own unit."""
    abilities = get(network).abilities
    limit = abilities.limit
    if account and isinstance(own := account.features.get("max_characters"), int):
        limit = own
    over = get(network).length(full_text) - limit
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


def proof(
    *,
    by: Person,
    suggestion: Suggestion,
    words: Words,
    network: str,
    how: str,
    now: dt.datetime,
    account: ConnectedAccount | None = None,
) -> tuple[Post, bool]:
    """Write the post with everything that proves what it said; finds the one already written."""
    mine = Post.objects.of(by).filter(network=network, how=how, suggestion=suggestion)
    # Two accounts of one network in one form are two wishes.
    submission = uuid.uuid5(words.submission, str(account.pk)) if account else words.submission
    same_form = Q(submission=submission)
    same_words = Q(text=words.text, created_at__gte=now - ONE_BREATH)
    if account:
        same_words &= Q(delivery__account=account)
    standing = mine.filter(same_form | same_words).first()
    if standing:
        return standing, False
    label = disclosure.label_for(suggestion, network, words.variant.language)
    link = None
    if suggestion.link_url:
        link = ShortLink.objects.create(code=secrets.token_urlsafe(6), target=suggestion.link_url)
    full_text = disclosure.complete(words.text, label, short_url(link.code) if link else "")
    check_length(network, full_text, account)
    post = Post.objects.create(
        person=by,
        suggestion=suggestion,
        variant=words.variant,
        network=network,
        how=how,
        submission=submission,
        text=words.text,
        full_text=full_text,
        language=words.variant.language,
        draft=words.variant.text,
        own_share=wording.voice(words.variant.text, words.text).percent,
        sha256=wording.fingerprint(full_text),
        disclosure_label=label.text,
        disclosure_version=label.version,
        link=link,
        picture=suggestion.picture,
        created_at=now,
    )
    return post, True


@transaction.atomic
def hand_over(
    *, by: Person, suggestion: Suggestion, words: Words, network: str, how: str, now: dt.datetime
) -> Post:
    """Record a text the person copies or opens in a network themselves.

    Effects in order: checks, short link, post. Raises :class:`ShareRefused`.
    """
    check_live(suggestion, now)
    check_text(words)
    post, _new = proof(by=by, suggestion=suggestion, words=words, network=network, how=how, now=now)
    return post


@transaction.atomic
def share(
    *,
    by: Person,
    suggestion: Suggestion,
    words: Words,
    accounts: Sequence[ConnectedAccount],
    due_at: dt.datetime,
    now: dt.datetime,
) -> list[Post]:
    """Let Botschaft publish on the person's accounts and on channels they may write for.

    What goes to a channel waits until somebody else approved it. Effects in order: checks, then
    for each account short link, post, delivery with its idempotency material, audit entry; one
    commit. Raises :class:`ShareRefused`.
    """
    check_live(suggestion, now)
    check_text(words)
    if not accounts:
        raise ShareRefused("to", _("Choose where the post should go."))
    _check_rights(by, accounts)
    if due_at > now + FARTHEST:
        raise ShareRefused("at", _("That is more than 90 days ahead."))
    posts = []
    for account in accounts:
        if account.reconnect_reason:
            raise ShareRefused(
                "to",
                _("%(account)s must be connected again first.") % {"account": account.handle},
            )
        post, new = proof(
            by=by,
            suggestion=suggestion,
            words=words,
            network=account.network,
            how=Post.How.PUBLISHED,
            now=now,
            account=account,
        )
        if new:
            _deliver_later(post, account, due_at=max(due_at, now), now=now)
        posts.append(post)
    return posts


def _check_rights(by: Person, accounts: Sequence[ConnectedAccount]) -> None:
    """Refuse accounts of others, and one's own without the yes to publish there."""
    usable = set(ConnectedAccount.objects.usable_by(by).values_list("pk", flat=True))
    if not usable.issuperset(account.pk for account in accounts):
        raise ShareRefused("to", _("You may not write for this account any more."))
    own = any(account.person_id for account in accounts)
    if own and not Consent.objects.given().filter(person=by, purpose="publish").exists():
        raise ShareRefused("to", _("You have not allowed Botschaft to publish for you yet."))


def _deliver_later(
    post: Post, account: ConnectedAccount, *, due_at: dt.datetime, now: dt.datetime
) -> None:
    """Queue a delivery; all that makes a repeat recognisable is fixed here (contract 2.3/1)."""
    key = uuid.uuid4()
    clock_id = int.from_bytes(hashlib.sha256(key.bytes).digest()[:2]) & 0x3FF
    delivery = Delivery.objects.create(
        post=post,
        account=account,
        key=key,
        rkey=make_tid(int(now.timestamp() * 1_000_000), clock_id),
        written_at=now,
        due_at=due_at,
        not_after=due_at + PATIENCE,
        blocked=Delivery.Blocked.NOT if account.person_id else Delivery.Blocked.APPROVAL,
    )
    audit.record("delivery.queued", delivery, by=post.person, now=now, network=post.network)


@transaction.atomic
def withdraw(*, by: Person, delivery: Delivery, now: dt.datetime) -> bool:
    """Take a queued post back; tells whether it was still in time."""
    for source in ("queued", "unknown") if delivery.state == "unknown" else ("queued",):
        if move_delivery(
            delivery,
            to="cancelled",
            source=source,
            now=now,
            by=by,
            reason="withdrawn",
            any_fence=True,
            lease_until=None,
            look_at=None,
        ):
            audit.record("delivery.cancelled", delivery, by=by, now=now)
            return True
    return False


@transaction.atomic
def look_again(*, by: Person, delivery: Delivery, now: dt.datetime) -> bool:
    """The person has looked and wants it sent: unblock a queued delivery, or send again."""
    if delivery.state == "unknown":
        moved = move_delivery(
            delivery,
            to="queued",
            source="unknown",
            now=now,
            by=by,
            reason="person_says_absent",
            any_fence=True,
            look_at=None,
            next_at=now,
            claims=0,
        )
    else:
        moved = bool(
            Delivery.objects.filter(pk=delivery.pk, state="queued", not_after__gt=now)
            .exclude(blocked__in=[Delivery.Blocked.NOT, Delivery.Blocked.APPROVAL])
            .update(blocked="", next_at=now, claims=0, reason="")
        )
    if moved:
        audit.record("delivery.released", delivery, by=by, now=now)
    return moved


@transaction.atomic
def say_it_is_there(*, by: Person, delivery: Delivery, url: str, now: dt.datetime) -> bool:
    """The person found the post: keep their link as the proof we have."""
    if delivery.state != "unknown":
        return False
    moved = move_delivery(
        delivery,
        to="sent",
        source="unknown",
        now=now,
        by=by,
        reason="person_says_there",
        any_fence=True,
        remote_id=url[:400],
        remote_url=url[:800],
        sent_at=now,
        look_at=None,
    )
    if moved:
        audit.record("delivery.found_by_person", delivery, by=by, now=now)
    return moved


def verbatim_counts(variants: Sequence[Variant], *, since: dt.datetime) -> dict[int, int | None]:
    """By variant: how many people used it nearly word for word, None below five (or nobody)."""
    rows = (
        Post.objects.filter(
            variant__in=variants, created_at__gte=since, own_share__lt=wording.COPIED_BELOW
        )
        .values("variant")
        .annotate(people=Count("person", distinct=True))
        .values_list("variant", "people")
    )
    return {variant: anonymity.shown(people) for variant, people in rows}
