"""Rows of the lowest floor: who."""

from .absence import Absence
from .audit import AuditEntry
from .consent import Consent
from .directory import DirectoryRow, GroupRule
from .leaving import PrivateAddress, Takeout
from .note import Note
from .person import Person, Role, Site, normalise_email
from .team import Membership, MembershipStep, Team, TeamKind

__all__ = [
    "Absence",
    "AuditEntry",
    "Consent",
    "DirectoryRow",
    "GroupRule",
    "Membership",
    "MembershipStep",
    "Note",
    "Person",
    "PrivateAddress",
    "Role",
    "Site",
    "Takeout",
    "Team",
    "TeamKind",
    "normalise_email",
]
