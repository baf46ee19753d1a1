"""Django app of this floor."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Registers the app under its own name."""

    name = "integrations"
