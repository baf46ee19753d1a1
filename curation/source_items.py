"""Entries of a source: known ones are recognised, new ones become drafts of its keeper."""

import datetime as dt
import hashlib
import urllib.parse
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person
from campaigns import suggestions
from campaigns.models import Suggestion, Topic, Variant
from campaigns.suggestions import StaleRevision
from integrations.feed_rows import Entry, Feed

from .models import Source, SourceItem, SourceRule

MOST_DRAFTS = 5  # of one reading; what more there is waits on the source's page


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an entry becomes by the rules."""

    topic: Topic
    content_class: str
    tone: str
    language: str
    skip: bool
    rule: SourceRule | None


def outcome(source: Source, rules: list[SourceRule], title: str, categories: list[str]) -> Outcome:
    """Apply the first rule whose words stand in the title or a category."""
    hay = "\n".join([title, *categories]).casefold()
    rule = next((rule for rule in rules if rule.words.casefold() in hay), None)
    return Outcome(
        topic=(rule.topic if rule and rule.topic else None) or source.topic,
        content_class=(rule.content_class if rule else "") or source.content_class,
        tone=(rule.tone if rule else "") or source.tone,
        language=(rule.language if rule else "") or source.language,
        skip=bool(rule and rule.skip),
        rule=rule,
    )


def _key(words: str) -> str:
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()


def _link_key(link: str) -> str:
    """Equal for addresses that lead to the same page: no scheme, no fragment, no last slash."""
    parts = urllib.parse.urlsplit(link)
    return _key(f"{parts.netloc.removeprefix('www.')}{parts.path.rstrip('/')}?{parts.query}")


def _words_key(entry: Entry) -> str:
    return _key("\n".join([entry.title, entry.summary, *entry.categories]).casefold())


def unknown(entries: tuple[Entry, ...]) -> list[Entry]:
    """The entries whose link was never seen, anywhere."""
    keys = [_link_key(entry.link) for entry in entries]
    seen = set(SourceItem.objects.filter(link_key__in=keys).values_list("link_key", flat=True))
    return [entry for entry, key in zip(entries, keys, strict=True) if key not in seen]


@transaction.atomic
def take_in(
    *, source: Source, entries: tuple[Entry, ...], now: dt.datetime, drafts: int = MOST_DRAFTS
) -> int:
    """Remember the new, follow the changed, write at most ``drafts`` drafts; returns how many."""
    known = _Known(source, entries)
    new: list[SourceItem] = []
    rules = list(source.sourcerule_set.select_related("topic"))
    for entry in entries:
        item = known.match(entry)
        if item is None:
            item = _new(source, rules, entry, now)
            known.add(item)
            new.append(item)
        elif item.pk and item.source_id == source.pk and known.changed(item, entry):
            _follow(item, entry, known, now=now)
    SourceItem.objects.bulk_create(new, ignore_conflicts=True)
    kept = SourceItem.objects.filter(
        source=source, guid_key__in=[i.guid_key for i in new], suggestion=None, skipped=False
    ).select_related("source")
    count = 0
    if source.keeper.left_at:
        return count  # nobody to write for; the entries wait on the source's page
    for item in kept[:drafts]:
        write(source=source, item=item, rules=rules, by=None, now=now)
        count += 1
    return count


def _new(source: Source, rules: list[SourceRule], entry: Entry, now: dt.datetime) -> SourceItem:
    return SourceItem(
        source=source,
        guid_key=_key(entry.guid),
        link_key=_link_key(entry.link),
        content_key=_words_key(entry),
        link=entry.link,
        title=entry.title,
        summary=entry.summary,
        categories=list(entry.categories),
        at=entry.at,
        seen_at=now,
        skipped=outcome(source, rules, entry.title, list(entry.categories)).skip,
    )


class _Known:
    """What was seen of these entries, in one query."""

    def __init__(self, source: Source, entries: tuple[Entry, ...]) -> None:
        self.links = {_link_key(entry.link) for entry in entries}
        guids = [_key(entry.guid) for entry in entries]
        words = [_words_key(entry) for entry in entries if entry.summary]
        rows = SourceItem.objects.filter(
            Q(link_key__in=self.links)
            | Q(source=source, guid_key__in=guids)
            | Q(source=source, content_key__in=words)
        )
        self.by_link: dict[str, SourceItem] = {}
        self.by_guid: dict[str, SourceItem] = {}
        self.by_words: dict[str, SourceItem] = {}
        self.source = source
        for row in rows:
            self.add(row)

    def add(self, row: SourceItem) -> None:
        """Know one more."""
        self.by_link[row.link_key] = row
        if row.source_id == self.source.pk:
            self.by_guid[row.guid_key] = row
            self.by_words.setdefault(row.content_key, row)

    def match(self, entry: Entry) -> SourceItem | None:
        """The row of an entry: same link, same guid, or same words whose old link has gone.

        Job ads with equal words are different jobs, so words alone prove nothing there.
        """
        if row := self.by_link.get(_link_key(entry.link)) or self.by_guid.get(_key(entry.guid)):
            return row
        row = self.by_words.get(_words_key(entry))
        moved = row and entry.summary and row.link_key not in self.links
        return row if moved and self.source.kind != Feed.JOBS else None

    def changed(self, item: SourceItem, entry: Entry) -> bool:
        """Tell whether words or link differ; a link that another row has is not taken."""
        key = _link_key(entry.link)
        moved = key != item.link_key and key not in self.by_link
        return bool(entry.title) and (moved or _words_key(entry) != item.content_key)


def _follow(item: SourceItem, entry: Entry, known: _Known, *, now: dt.datetime) -> None:
    """Take over changed words or a moved link; into the draft only if nobody touched it."""
    key = _link_key(entry.link)
    if key not in known.by_link:
        item.link, item.link_key = entry.link, key
        known.by_link[key] = item
    item.title, item.summary = entry.title, entry.summary
    item.categories, item.content_key = list(entry.categories), _words_key(entry)
    item.changed_at = now
    item.save(update_fields=["link", "link_key", "title", "summary", "categories", "content_key",
                             "changed_at"])  # fmt: skip
    if item.suggestion_id is None:
        return
    untouched = (
        Suggestion.objects.select_for_update()
        .filter(pk=item.suggestion_id, state="draft", revision=item.written_revision)
        .first()
    )
    if untouched is None:
        return
    variants = list(untouched.variant_set.all()[:1]) or [Variant(language=untouched.language)]
    _fill(untouched, variants[0], item)
    try:
        saved = suggestions.save(
            suggestion=untouched,
            variants=variants,
            seen_revision=item.written_revision,
            by=untouched.author,
            now=now,
        )
    except StaleRevision:
        return
    SourceItem.objects.filter(pk=item.pk).update(written_revision=saved.revision)


@transaction.atomic
def write(
    *,
    source: Source,
    item: SourceItem,
    rules: list[SourceRule],
    by: Person | None,
    now: dt.datetime,
) -> Suggestion | None:
    """Write the draft of an entry in the keeper's name, or of who asked; None if there is one."""
    rows = SourceItem.objects.select_for_update(of=("self",)).select_related("source")
    row = rows.filter(pk=item.pk, suggestion=None).first()
    if row is None:
        return None
    found = outcome(source, rules, row.title, row.categories)
    suggestion = Suggestion(
        topic=found.topic,
        language=found.language,
        content_class=found.content_class,
        tone=found.tone,
        link_url=row.link,
    )
    variant = Variant(language=found.language)
    _fill(suggestion, variant, row)
    saved = suggestions.save(
        suggestion=suggestion,
        variants=[variant],
        seen_revision=0,
        by=by or source.keeper,
        now=now,
    )
    row.suggestion, row.written_revision, row.skipped = saved, saved.revision, False
    row.save(update_fields=["suggestion", "written_revision", "skipped"])
    audit.record("source.draft", saved, by=by, now=now, source=source.pk)
    return saved


def _fill(suggestion: Suggestion, variant: Variant, item: SourceItem) -> None:
    """Put the entry's words into a draft: headline, a gap for one's own, and whose it is."""
    title = item.title or item.link
    suggestion.title = title if len(title) <= 120 else f"{title[:119].rstrip()}…"
    suggestion.link_url = item.link
    suggestion.link_title, suggestion.link_description = item.title, item.summary
    name = item.source.name
    with translation.override(suggestion.language):
        gap = _("what you think of it")
        credit = _("Source: %(name)s") % {"name": name}
        suggestion.why = _("New in “%(name)s”.") % {"name": name}
        variant.name = _("Wording")
    headline = title.replace("[", "(").replace("]", ")")  # brackets are gaps here
    variant.text = f"{headline}\n\n[{gap}]\n\n{credit}"
