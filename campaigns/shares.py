"""A person shares: copy, open, or let Botschaft publish. One transaction each."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from ambassadors import acknowledgements, anonymity, audit
from ambassadors.models import Consent, Person
from integrations.models import ConnectedAccount
from integrations.networks import get
from integrations.networks.bluesky import make_tid

from . import disclosure, links, pictures, sameness, wording
from .models import Delivery, Picture, Post, Suggestion, Variant
from .outgoings import short_url
from .share_checks import (
    ShareRefused,
    check_identical,
    check_label,
    check_length,
    check_live,
    check_parts,
    check_picture,
    check_text,
    check_thread,
)

# A post that could not leave within this time after its moment is not sent any more.
PATIENCE = dt.timedelta(hours=24)
FARTHEST = dt.timedelta(days=90)
# The same words for the same network within this time are the same wish (back button, two tabs).
ONE_BREATH = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Words:
    """What the person handed in: their text and where it started.

    A line ``---`` alone begins the next part of a thread. Content warning and visibility count on
    networks that know them.
    """

    text: str
    variant: Variant
    submission: uuid.UUID
    content_warning: str = ""
    visibility: str = "public"


def proof(
    *,
    by: Person,
    suggestion: Suggestion,
    words: Words,
    network: str,
    how: str,
    now: dt.datetime,
    account: ConnectedAccount | None = None,
    before: Post | None = None,
) -> tuple[Post, bool]:
    """Write the post with everything that proves what it said; finds the one already written.

    ``before`` is the part of the thread that stands before this one. Label, link and pictures
    complete the first part.
    """
    abilities = get(network).abilities
    # Two accounts on one network are two wishes of the same form.
    submission = uuid.uuid5(words.submission, str(account.pk)) if account else words.submission
    part = before.part + 1 if before else 0
    if standing := _standing(by, suggestion, words, submission, network, how, now, account, part):
        return standing, False
    labelled, country = None if before else suggestion, disclosure.country_of(by)
    label = disclosure.label_for(labelled, network, words.variant.language, country)
    if labelled:
        check_label(labelled, label)
    link = None if before else links.make(suggestion=suggestion, network=network)
    full_text = disclosure.complete(words.text, label, short_url(link.code) if link else "")
    warning = words.content_warning if abilities.warnings else ""
    check_length(network, full_text, account, warning=warning)
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
        draft=suggestion.draft(words.variant),
        own_share=wording.voice(suggestion.draft(words.variant), words.text).percent,
        sha256=wording.fingerprint(full_text),
        disclosure_label=label.text,
        disclosure_version=label.version,
        content_class=suggestion.content_class,
        country=country,
        suggestion_revision=suggestion.revision,
        link=link,
        picture=None if before else _picture(suggestion, network, now),
        document=suggestion.document if abilities.documents and not before else None,
        content_warning=warning,
        visibility=words.visibility if words.visibility in abilities.visibilities else "public",
        part=part,
        before=before,
        created_at=now,
    )
    if abilities.pictures > 1 and not before:
        post.more_pictures.set(suggestion.more_pictures.all()[: abilities.pictures - 1])
    return post, True


def _picture(suggestion: Suggestion, network: str, now: dt.datetime) -> Picture | None:
    """The picture as the network shows it; none where it may not be shown any more."""
    if suggestion.picture is None or pictures.barred([suggestion.picture], on=now.date()):
        return None
    return pictures.for_network(suggestion.picture, network)


def _standing(
    by: Person,
    suggestion: Suggestion,
    words: Words,
    submission: uuid.UUID,
    network: str,
    how: str,
    now: dt.datetime,
    account: ConnectedAccount | None,
    part: int,
) -> Post | None:
    """The post that this same wish has made already: the same form, or the same words just now.

    Words that were taken back or refused are no standing wish; saying them again is a new one.
    """
    mine = Post.objects.of(by).filter(network=network, how=how, suggestion=suggestion, part=part)
    same_form = mine.filter(submission=submission)
    same_words = mine.filter(text=words.text, created_at__gte=now - ONE_BREATH)
    if account:
        same_words = same_words.filter(delivery__account=account).exclude(
            delivery__state__in=["cancelled", "failed"]
        )
    return same_form.first() or same_words.first()


@transaction.atomic
def hand_over(
    *, by: Person, suggestion: Suggestion, words: Words, network: str, how: str, now: dt.datetime
) -> Post:
    """Record a text the person copies or opens in a network themselves.

    Effects in order: checks, short link, post. Raises :class:`ShareRefused`.
    """
    check_live(suggestion, now)
    if len(check_parts(words.text, words.variant)) > 1:
        raise ShareRefused("text", _("Copy a thread part by part: take out the line ---."))
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
    movable: bool = False,
) -> list[Post]:
    """Let Botschaft publish on the person's accounts and on channels they may write for.

    What goes to a channel waits until somebody else approved it. Effects in order: checks, then
    for each account and part short link, post, delivery with its idempotency material, audit
    entry; one commit. ``movable`` says that the person left the moment to us. Returns the first
    part for each account. Raises :class:`ShareRefused`.
    """
    check_live(suggestion, now)
    parts = check_parts(words.text, words.variant)
    if not accounts:
        raise ShareRefused("to", _("Choose where the post should go."))
    _check_rights(by, accounts)
    if due_at > now + FARTHEST:
        raise ShareRefused("at", _("That is more than 90 days ahead."))
    country = disclosure.country_of(by)
    for text in parts:
        check_identical(suggestion, text, words.variant.language, accounts, now, country)
    posts = []
    for account in accounts:
        if account.reconnect_reason:
            raise ShareRefused(
                "to",
                _("%(account)s must be connected again first.") % {"account": account.handle},
            )
        if len(parts) > 1:
            check_thread(account.network)
        check_picture(account.network, suggestion, now)
        first = before = None
        for number, text in enumerate(parts):
            before, new = proof(
                by=by,
                suggestion=suggestion,
                words=replace(words, text=text),
                network=account.network,
                how=Post.How.PUBLISHED,
                now=now,
                account=account,
                before=before,
            )
            first = first or before
            if not new:
                break
            moment = max(due_at, now) + number * dt.timedelta(seconds=1)
            deliver_later(before, account, due_at=moment, now=now, movable=movable)
        if first:
            posts.append(first)
    return posts


def reworded(post: Post, text: str, account: ConnectedAccount) -> dict[str, Any]:
    """The columns of a post that change with its text, checked and complete as it leaves.

    Raises :class:`ShareRefused`.
    """
    if len(wording.parts(text)) > 1:
        raise ShareRefused("text", _("This stays one part: take out the line ---."))
    check_text(text, [post.draft])
    labelled = None if post.part else post.suggestion
    label = disclosure.label_for(labelled, post.network, post.language, post.country)
    if labelled:
        check_label(labelled, label)
    link = short_url(post.link.code) if post.link else ""
    full_text = disclosure.complete(text, label, link)
    check_length(post.network, full_text, account, warning=post.content_warning)
    return {
        "text": text,
        "full_text": full_text,
        "content_class": post.suggestion.content_class if post.suggestion else "",
        "sha256": wording.fingerprint(full_text),
        "own_share": wording.voice(post.draft, text).percent,
        **sameness.kept(text),
        "disclosure_label": label.text,
        "disclosure_version": label.version,
    }


def _check_rights(by: Person, accounts: Sequence[ConnectedAccount]) -> None:
    """Refuse accounts of others, and one's own without the yes to publish there."""
    usable = set(ConnectedAccount.objects.usable_by(by).values_list("pk", flat=True))
    if not usable.issuperset(account.pk for account in accounts):
        raise ShareRefused("to", _("You may not write for this account any more."))
    own = any(account.person_id for account in accounts)
    if own and not Consent.objects.given().filter(person=by, purpose="publish").exists():
        raise ShareRefused("to", _("You have not allowed Botschaft to publish for you yet."))


def deliver_later(
    post: Post,
    account: ConnectedAccount,
    *,
    due_at: dt.datetime,
    now: dt.datetime,
    movable: bool = False,
) -> None:
    """Queue a delivery; all that makes a repeat recognisable is fixed here (contract 2.3/1).

    ``movable``: the person left the moment to us. What waits for a guideline's yes is taken and
    held, so that nothing written is lost; the start asks again.
    """
    blocked = Delivery.Blocked.APPROVAL
    if account.person_id:
        held = acknowledgements.holds_back(post.person, now)
        blocked = Delivery.Blocked.GUIDELINE if held else Delivery.Blocked.NOT
    key = uuid.uuid4()
    clock_id = int.from_bytes(hashlib.sha256(key.bytes).digest()[:2]) & 0x3FF
    delivery = Delivery.objects.create(
        post=post,
        account=account,
        key=key,
        rkey=make_tid(int(now.timestamp() * 1_000_000), clock_id),
        written_at=now,
        due_at=due_at,
        movable=movable,
        not_after=due_at + PATIENCE,
        blocked=blocked,
    )
    audit.record("delivery.queued", delivery, by=post.person, now=now, network=post.network)


def verbatim_counts(variants: Sequence[Variant], *, since: dt.datetime) -> dict[int, int | None]:
    """By variant: how many people at the least used it nearly word for word; None for a handful.

    Whether that handful is nobody is not told either: it would be known of everybody.
    """
    rows = (
        Post.objects.filter(
            variant__in=variants, created_at__gte=since, own_share__lt=wording.COPIED_BELOW
        )
        .order_by()
        .values("variant")
        .annotate(
            people=Count("person", distinct=True), mark=anonymity.mark("person", distinct=True)
        )
        .values_list("variant", "people", "mark")
    )
    return {
        variant: anonymity.told(anonymity.Group(people, int(mark)))
        for variant, people, mark in rows
    }
