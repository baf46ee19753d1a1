"""Addresses of version 1. Each name stands in :mod:`advocacy.policies`; the views check tokens."""

import datetime as dt

from django.urls import path, register_converter

from . import drafts, figures, mine, people, programme, reception, suggestions, topics
from .schema import openapi


class Number:
    """The number of something of ours: no sign, no leading nought, small enough for a bigint."""

    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:
        """Read it."""
        return int(value)

    def to_url(self, value: int) -> str:
        """Write it."""
        return str(value)


class OnDay:
    """A day in an address."""

    regex = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> dt.date:
        """Read it; what is no day is no address."""
        return dt.date.fromisoformat(value)

    def to_url(self, value: dt.date) -> str:
        """Write it."""
        return value.isoformat()


class InMonth:
    """A month in an address."""

    regex = "[0-9]{4}-[0-9]{2}"

    def to_python(self, value: str) -> str:
        """Read it."""
        return value

    def to_url(self, value: str) -> str:
        """Write it."""
        return value


class CardKey(InMonth):
    """The key of a card."""

    regex = "[0-9a-z]{10}"


register_converter(Number, "number")
register_converter(OnDay, "onday")
register_converter(InMonth, "inmonth")
register_converter(CardKey, "cardkey")

urlpatterns = [
    path("openapi.json", openapi, name="api_schema"),
    path("token", mine.Token.as_view(), name="api_token"),
    path("situation", topics.Situation.as_view(), name="api_situation"),
    path("hold", topics.HoldProgramme.as_view(), name="api_hold"),
    path("topics", topics.Topics.as_view(), name="api_topics"),
    path("topics/<number:pk>", topics.OneTopic.as_view(), name="api_topic"),
    path("topics/<number:pk>/light", topics.Light.as_view(), name="api_light"),
    path("topics/<number:pk>/hold", topics.HoldTopic.as_view(), name="api_topic_hold"),
    path("suggestions", suggestions.Suggestions.as_view(), name="api_suggestions"),
    path("suggestions/<number:pk>", suggestions.OneSuggestion.as_view(), name="api_suggestion"),
    path(
        "suggestions/<number:pk>/hold",
        topics.HoldSuggestion.as_view(),
        name="api_suggestion_hold",
    ),
    path("drafts", drafts.Drafts.as_view(), name="api_drafts"),
    path("drafts/<number:pk>", drafts.OneDraft.as_view(), name="api_draft"),
    path("drafts/<number:pk>/review", drafts.Review.as_view(), name="api_review"),
    path("guidelines", programme.Guidelines.as_view(), name="api_guidelines"),
    path("guidelines/<number:pk>", programme.OneGuideline.as_view(), name="api_guideline"),
    path("briefings", programme.Briefings.as_view(), name="api_briefings"),
    path("briefings/<onday:day>", programme.OneBriefing.as_view(), name="api_briefing"),
    path("campaigns", programme.Campaigns.as_view(), name="api_campaigns"),
    path("campaigns/<number:pk>", programme.OneCampaign.as_view(), name="api_campaign"),
    path("ideas", programme.Ideas.as_view(), name="api_ideas"),
    path("ideas/<number:pk>", programme.OneIdea.as_view(), name="api_idea"),
    path("teams", people.Teams.as_view(), name="api_teams"),
    path("teams/<number:pk>", people.OneTeam.as_view(), name="api_team"),
    path("people", people.People.as_view(), name="api_people"),
    path("training-dates", people.TrainingDates.as_view(), name="api_training_dates"),
    path("training-dates/<number:pk>", people.OneTrainingDate.as_view(), name="api_training_date"),
    path("contact-cards", reception.ContactCards.as_view(), name="api_cards"),
    path("contact-cards/<cardkey:key>", reception.OneContactCard.as_view(), name="api_card"),
    path("inquiry-months", reception.InquiryMonths.as_view(), name="api_inquiry_months"),
    path("figures", figures.Figures.as_view(), name="api_figures"),
    path("figures/<inmonth:month>", figures.OneFigure.as_view(), name="api_figure"),
    path("posts", mine.Posts.as_view(), name="api_posts"),
    path("posts/<number:pk>", mine.OnePost.as_view(), name="api_post"),
    path("links", mine.Links.as_view(), name="api_links"),
]
