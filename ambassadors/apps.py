"""Django app of this floor."""

from django.apps import AppConfig


class AmbassadorsConfig(AppConfig):
    """Registers the app under its own name."""

    name = "ambassadors"
