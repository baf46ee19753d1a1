"""Django app of this floor."""

from django.apps import AppConfig


class AdvocacyConfig(AppConfig):
    """Registers the app under its own name."""

    name = "advocacy"
