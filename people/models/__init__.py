"""Rows of HR's rooms."""

from .course import Completion, Course, Requirement, SelfStart
from .lesson import Choice, Lesson, LessonDone, Question
from .session import Booking, Session, TrainingFeed

__all__ = [
    "Booking",
    "Choice",
    "Completion",
    "Course",
    "Lesson",
    "LessonDone",
    "Question",
    "Requirement",
    "SelfStart",
    "Session",
    "TrainingFeed",
]
