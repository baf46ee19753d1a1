"""Rows of HR's rooms."""

from .call import Application, Call
from .course import Completion, Course, Requirement, SelfStart
from .imports import ImportPiece, PeopleImport
from .invitation import Invitation, InvitationRound, NoInvitations
from .lesson import Choice, Lesson, LessonDone, Question
from .nomination import Nomination
from .pulse import PulseBox, PulseMail, PulseRound, PulseSilence, PulseTicket
from .scim import Departure, GroupNews, ScimGroup, ScimMember, ScimToken, ScimUser, Welcome
from .session import Booking, Session

__all__ = [
    "Application",
    "Booking",
    "Call",
    "Choice",
    "Completion",
    "Course",
    "Departure",
    "GroupNews",
    "ImportPiece",
    "Invitation",
    "InvitationRound",
    "Lesson",
    "LessonDone",
    "NoInvitations",
    "Nomination",
    "PeopleImport",
    "PulseBox",
    "PulseMail",
    "PulseRound",
    "PulseSilence",
    "PulseTicket",
    "Question",
    "Requirement",
    "ScimGroup",
    "ScimMember",
    "ScimToken",
    "ScimUser",
    "SelfStart",
    "Session",
    "Welcome",
]
