"""Rows of the reception."""

from .card import OBJECTS, CardPhoto, ContactCard, JobArea

__all__ = ["OBJECTS", "CardPhoto", "ContactCard", "JobArea"]
