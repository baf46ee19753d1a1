"""Who gets a question: whom the asker wanted if they can, else by language, subject and load."""

import datetime as dt

from django.db.models import Count, Max, Q, QuerySet

from ambassadors import absences
from ambassadors.models import Membership, Person, Team, TeamKind
from campaigns.hours import Calendar
from campaigns.models import Programme

from .models import USUAL_DAYS, ContactCard, Inquiry, Promise, Widget


def of_widget(cards: "QuerySet[ContactCard]", widget: Widget) -> "QuerySet[ContactCard]":
    """The cards a widget is about: those it names, and those of its areas and sites."""
    named, areas, sites = widget.cards.all(), widget.areas.all(), widget.sites.all()
    fits = Q(pk__in=named)
    if areas and sites:
        fits |= Q(areas__in=areas, sites__in=sites)
    elif areas or sites:
        fits |= Q(areas__in=areas) | Q(sites__in=sites)
    elif not named:
        return cards
    return cards.filter(pk__in=ContactCard.objects.filter(fits).values("pk"))


def able(on: dt.date) -> "QuerySet[ContactCard]":
    """Cards of those who take new questions on a day, with what they have to do already."""
    return (
        ContactCard.objects.live(on)
        .available(on)
        .seen(on)
        .annotate(
            load=Count(
                "person__inquiries", filter=Q(person__inquiries__state="assigned"), distinct=True
            ),
            last=Max("person__inquiries__assigned_at"),
        )
    )


def choose(inquiry: Inquiry, *, on: dt.date, without: int | None = None) -> Person | None:
    """Who should answer; None when nobody can at the moment.

    The person asked for; their deputy while they are away; else of those who speak the language
    the one whose subjects fit best, then the one with the fewest open questions, then the one
    whose last question lies longest back. ``without`` is a person who gives it away.
    """
    cards = {card.person_id: card for card in able(on) if card.person_id != without}
    if inquiry.chosen_id in cards:
        return cards[inquiry.chosen_id].person
    stand_in = absences.deputies(on).get(inquiry.chosen_id or 0)
    if stand_in and stand_in.deputy.pk in cards:
        return cards[stand_in.deputy.pk].person
    if not cards:
        return None
    fits: set[int] = set()
    if inquiry.widget:
        fits = set(
            of_widget(ContactCard.objects.all(), inquiry.widget).values_list("pk", flat=True)
        )

    def order(card: ContactCard) -> tuple[bool, bool, bool, int, float, int]:
        last = getattr(card, "last", None)
        return (
            inquiry.language not in card.languages,
            inquiry.area_id is not None and inquiry.area_id not in {a.pk for a in card.areas.all()},
            bool(fits) and card.pk not in fits,
            getattr(card, "load", 0),
            last.timestamp() if last else 0.0,
            card.pk,
        )

    return min(cards.values(), key=order).person


def team_of(person: Person, on: dt.date) -> Team | None:
    """The contact team somebody answers for; of several the one they joined first."""
    terms = Membership.objects.serving(TeamKind.Behaviour.CONTACT, on).filter(person=person)
    term = terms.select_related("team").order_by("started_on", "pk").first()
    if term:
        return term.team
    return led_by(person).first()


def led_by(person: Person) -> "QuerySet[Team]":
    """The contact teams a person leads."""
    return Team.objects.filter(lead=person, kind__behaviour=TeamKind.Behaviour.CONTACT)


def promised_days(widget: Widget | None, team: Team | None = None) -> int:
    """Working days until an answer: the widget's word, the team's, or the usual."""
    if widget and widget.answer_days:
        return widget.answer_days
    promises = Promise.objects.filter(team=team) if team else Promise.objects.all()
    # Before it is known who answers, the slowest team's word holds for all.
    return max(promises.values_list("answer_days", flat=True), default=USUAL_DAYS)


def answer_by(
    now: dt.datetime, days: int, *, widget: Widget | None = None, person: Person | None = None
) -> dt.datetime:
    """The same time of day so many working days on; a free day counts from the next working one.

    Free are weekends, holidays and company days where the person works who answers, else at the
    widget's only site, else those of the whole company.
    """
    site = person.site_id if person else None
    if site is None and widget:
        sites = list(widget.sites.values_list("pk", flat=True)[:2])
        site = sites[0] if len(sites) == 1 else None
    place = Calendar(Programme.the(), now, []).at(site)
    at = now.astimezone(place.zone)
    while days:
        at += dt.timedelta(days=1)
        days -= not place.free(at.date())
    return at.astimezone(dt.UTC)
