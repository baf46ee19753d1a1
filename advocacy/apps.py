"""Django app of this floor."""

from allauth.account.signals import authentication_step_completed
from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in

from .celery import app as celery_app  # tasks of all doors use our broker


class AdvocacyConfig(AppConfig):
    """Registers the app under its own name."""

    name = "advocacy"
    celery = celery_app

    def ready(self) -> None:
        """Have logins counted as proofs of who somebody is."""
        from . import stepup  # noqa: PLC0415 - models are ready only now

        user_logged_in.connect(stepup.on_login)
        authentication_step_completed.connect(stepup.on_step)
