"""What a chat shows: the day with its lights, a hold, a release; as Slack and as Teams want it.

Foreign words (titles, rules, reasons) stand in rich text in both, which reads no markup: nobody's
title calls a whole channel or hides a link.
"""

import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ambassadors.models import Person
from integrations import slack, teams

from . import briefings, lights, picks
from .front import front
from .models import HoldRecord, Line, Programme, Suggestion, Topic

MOST_LINES = 12
_LONGEST = 300  # characters of one rule or reason
_TEXT = 3000  # characters of Slack's plain text; it advises 4,000 at most
_SIGNS = {"hold": "🛑", "careful": "⚠️", "share": "🟢"}
_COLOURS = {"hold": "Attention", "careful": "Warning", "share": "Good"}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """A topic or a suggestion: its light, its words, and where it leads."""

    light: str
    label: str
    title: str
    url: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """Everything one message says, in its language."""

    title: str
    lead: str = ""
    paragraphs: list[str] = field(default_factory=list)
    topics: list[Entry] = field(default_factory=list)
    left_out: int = 0
    suggestions: list[Entry] = field(default_factory=list)
    link: tuple[str, str] = ("", "")
    end: str = ""


def of_day(day: dt.date, now: dt.datetime, *, language: str, person: Person | None = None) -> Card:
    """The day: its lights as they are now and suggestions, a person's own or those for everybody.

    In the language that is active.
    """
    issue, lines = briefings.of_day(day)
    programme = Programme.the()
    paragraphs = [_cut(issue.note)] if issue and issue.note else []
    if programme.is_held:
        paragraphs.insert(0, f"{_('Everything is on hold.')} {_cut(programme.held_reason)}")
        found: list[Suggestion] = []
    elif person:
        found = picks.for_person(front(now), person, now, picks.MOST)
    else:
        found = picks.for_everybody(language, now, picks.MOST)
    shown = [item.topic for item in lines[:MOST_LINES]]
    return Card(
        title=_("The situation on %(day)s") % {"day": formats.date_format(day, "l, j. F")},
        lead=lights.in_sum(item.topic for item in lines),
        paragraphs=paragraphs,
        topics=[_topic(topic) for topic in shown],
        left_out=len(lines) - len(shown),
        suggestions=[_suggestion(row) for row in found],
        link=(_("Open Today"), page("today")),
        end=_("You need not share anything today."),
    )


def of_hold(hold: HoldRecord, *, paragraphs: list[str]) -> Card:
    """A hold that has just begun; ``paragraphs`` say what it means for whoever reads."""
    everything = hold.scope == HoldRecord.Scope.PROGRAMME
    what = _("everything") if everything else hold.name
    return Card(
        title=f"🛑 {_('On hold: %(what)s') % {'what': _cut(what, 100)}}",
        paragraphs=[_cut(hold.reason), *paragraphs],
        link=(_("See what it means for you"), page("today")),
    )


def of_release(topic: Topic | None) -> Card:
    """A hold of a topic, or of everything, is over; with the light as it is now."""
    what = _("everything") if topic is None else topic.title
    return Card(
        title=_("No longer on hold: %(what)s") % {"what": _cut(what, 100)},
        paragraphs=[_("What waited asks its people to look again before it leaves.")],
        topics=[_topic(topic)] if topic else [],
        link=(_("Open Today"), page("today")),
    )


def _topic(topic: Topic) -> Entry:
    rule = topic.held_reason if topic.is_held else topic.rule
    label = str(Line(topic.line).label)
    return Entry(topic.light, label, topic.title, page("topic", topic.pk), _cut(rule))


def _suggestion(row: Suggestion) -> Entry:
    topic = row.topic
    label = f"{Line(topic.line).label}: {topic.title}"
    return Entry(topic.light, label, row.title, page("composer", row.pk))


def page(name: str, *args: Any) -> str:
    """The full address of one of our pages."""
    return settings.SITE_URL + reverse(name, args=args)


def _cut(text: str, most: int = _LONGEST) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"


def _more(card: Card) -> str:
    if not card.left_out:
        return ""
    text = ngettext("and %(n)d more topic", "and %(n)d more topics", card.left_out)
    return text % {"n": card.left_out}


def plain(card: Card) -> str:
    """The card as lines of text, for screen readers and notifications."""
    rows = [card.title, card.lead, *card.paragraphs]
    rows += [f"{one.label}: {one.title}. {one.more}".rstrip() for one in card.topics]
    rows += [_more(card), *(one.title for one in card.suggestions), card.end]
    return "\n".join(row for row in rows if row)


def _fitting(card: Card, render: Callable[[Card], Json], size: Callable[[Json], bool]) -> Json:
    """The card with as many topics as fit, those at the end left out first."""
    while not size(made := render(card)) and card.topics:
        card = dataclasses.replace(card, topics=card.topics[:-1], left_out=card.left_out + 1)
    return made


# Slack ------------------------------------------------------------------------------------------


def for_slack(card: Card) -> Json:
    """A message for ``chat.postMessage``: Block Kit, with the same as plain text."""
    return _fitting(card, _slack, lambda m: len(json.dumps(m["blocks"])) <= slack.MOST_CHARACTERS)


def _slack(card: Card) -> Json:
    blocks: list[Json] = [{"type": "header", "text": _plain_text(card.title)}]
    if card.lead:
        blocks.append({"type": "context", "elements": [_plain_text(card.lead)]})
    blocks += [_rich([_text(words)]) for words in card.paragraphs]
    for one in card.topics:
        sign = _text(f"{_SIGNS[one.light]} {one.label}: ")
        rule = [_text(f"\n{one.more}")] if one.more else []
        blocks.append(_rich([sign, _link(one.url, one.title, bold=True), *rule]))
    if card.left_out:
        blocks.append({"type": "context", "elements": [_plain_text(_more(card))]})
    if card.suggestions:
        blocks += [{"type": "divider"}, _rich([_text(_("Maybe something for you"), bold=True)])]
    for one in card.suggestions:
        said = [_text(one.title), _text(f"\n{_SIGNS[one.light]} {one.label}\n")]
        blocks.append(_rich([*said, _link(one.url, _("In your own words"), bold=True)]))
    blocks.append({"type": "divider"})
    end = [_text(f"{card.end} ")] if card.end else []
    blocks.append(_rich([*end, _link(card.link[1], card.link[0])]))
    text = plain(card)[:_TEXT]
    for sign_, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign_, escaped)
    return {"text": text, "blocks": blocks}


def _plain_text(text: str) -> Json:
    return {"type": "plain_text", "text": text[:150], "emoji": False}


def _rich(elements: list[Json]) -> Json:
    section = {"type": "rich_text_section", "elements": elements}
    return {"type": "rich_text", "elements": [section]}


def _text(text: str, *, bold: bool = False) -> Json:
    return {"type": "text", "text": text, **({"style": {"bold": True}} if bold else {})}


def _link(url: str, text: str, *, bold: bool = False) -> Json:
    return {**_text(text, bold=bold), "type": "link", "url": url}


# Teams ------------------------------------------------------------------------------------------


def for_teams(card: Card) -> Json:
    """An Adaptive Card 1.4, as much as Teams shows everywhere."""
    return _fitting(card, _teams, lambda made: len(teams.written(made)) <= teams.MOST_BYTES)


def _teams(card: Card) -> Json:
    body: list[Json] = [_block(_run(card.title, size="Large", weight="Bolder"))]
    if card.lead:
        body.append(_block(_run(card.lead, isSubtle=True)))
    body += [_block(_run(words)) for words in card.paragraphs]
    for one in card.topics:
        sign = _run(f"{_SIGNS[one.light]} {one.label}", color=_COLOURS[one.light], weight="Bolder")
        items = [_block(sign), _block(_run(one.title, weight="Bolder"), spacing="None")]
        if one.more:
            items.append(_block(_run(one.more), spacing="None"))
        body.append(_container(items, selectAction=_open(one.title, one.url)))
    if card.left_out:
        body.append(_block(_run(_more(card), isSubtle=True)))
    if card.suggestions:
        heading = _run(_("Maybe something for you"), size="Medium", weight="Bolder")
        body.append(_block(heading, spacing="Large"))
    for one in card.suggestions:
        kicker = _run(f"{_SIGNS[one.light]} {one.label}", size="Small", isSubtle=True)
        button = {"type": "ActionSet", "actions": [_open(_("In your own words"), one.url)]}
        body.append(_container([_block(_run(one.title)), _block(kicker, spacing="None"), button]))
    if card.end:
        body.append(_block(_run(card.end, isSubtle=True), spacing="Large"))
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": plain(card)[:_TEXT],
        "body": body,
        "actions": [_open(card.link[0], card.link[1])],
    }


def _run(text: str, **look: Any) -> Json:
    return {"type": "TextRun", "text": text, **look}


def _block(run: Json, **look: Any) -> Json:
    return {"type": "RichTextBlock", "inlines": [run], **look}


def _container(items: list[Json], **more: Any) -> Json:
    return {"type": "Container", "separator": True, "spacing": "Medium", "items": items, **more}


def _open(title: str, url: str) -> Json:
    return {"type": "Action.OpenUrl", "title": title, "url": url}
