"""Rows of HR's rooms."""

from .course import Completion, Course, Requirement, SelfStart
from .imports import ImportPiece, PeopleImport
from .lesson import Choice, Lesson, LessonDone, Question
from .session import Booking, Session, TrainingFeed

__all__ = [
    "Booking",
    "Choice",
    "Completion",
    "Course",
    "ImportPiece",
    "Lesson",
    "LessonDone",
    "PeopleImport",
    "Question",
    "Requirement",
    "SelfStart",
    "Session",
    "TrainingFeed",
]
