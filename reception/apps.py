"""Django app of this room."""

from django.apps import AppConfig


class ReceptionConfig(AppConfig):
    """Registers the app under its own name."""

    name = "reception"
