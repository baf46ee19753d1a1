"""Rows of the lowest floor: who."""

from .absence import Absence
from .audit import AuditEntry, AuditSeal, AuditUnsealed
from .consent import Consent
from .directory import DirectoryRow, GroupRule
from .erasure import Erasure, Tombstone
from .figure import PublishedFigure
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
from .quiet import FreeDay, TimeOff
from .retention import RetentionRule, RetentionRun
from .secret_feed import SecretFeed
from .session import LoginSession
from .switch import SwitchTurn
from .team import Membership, MembershipStep, Team, TeamKind
from .view import SavedView

__all__ = [
    "Absence",
    "Acknowledgement",
    "AuditEntry",
    "AuditSeal",
    "AuditUnsealed",
    "Consent",
    "DirectoryRow",
    "Erasure",
    "FreeDay",
    "GroupRule",
    "Guideline",
    "GuidelineReminder",
    "GuidelineVersion",
    "LoginSession",
    "Membership",
    "MembershipStep",
    "Note",
    "Person",
    "PrivateAddress",
    "PublishedFigure",
    "QuizPass",
    "RetentionRule",
    "RetentionRun",
    "Role",
    "SavedView",
    "SecretFeed",
    "Site",
    "SwitchTurn",
    "Takeout",
    "Team",
    "TeamKind",
    "TimeOff",
    "Tombstone",
    "normalise_email",
]
