"""Django app of this floor."""

from django.apps import AppConfig


class CurationConfig(AppConfig):
    """Registers the app under its own name."""

    name = "curation"
