"""Rows of the lowest floor: who."""

from .absence import Absence
from .audit import AuditEntry
from .consent import Consent
from .directory import DirectoryRow, GroupRule
from .guideline import (
    Acknowledgement,
    Guideline,
    GuidelineReminder,
    GuidelineVersion,
    QuizPass,
)
from .leaving import PrivateAddress, Takeout
from .note import Note
from .person import Person, Role, Site, normalise_email
from .team import Membership, MembershipStep, Team, TeamKind

__all__ = [
    "Absence",
    "Acknowledgement",
    "AuditEntry",
    "Consent",
    "DirectoryRow",
    "GroupRule",
    "Guideline",
    "GuidelineReminder",
    "GuidelineVersion",
    "Membership",
    "MembershipStep",
    "Note",
    "Person",
    "PrivateAddress",
    "QuizPass",
    "Role",
    "Site",
    "Takeout",
    "Team",
    "TeamKind",
    "normalise_email",
]
