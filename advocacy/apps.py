"""Django app of this floor."""

from django.apps import AppConfig

from .celery import app as celery_app  # tasks of all doors use our broker


class AdvocacyConfig(AppConfig):
    """Registers the app under its own name."""

    name = "advocacy"
    celery = celery_app
