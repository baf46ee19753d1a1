"""Django app of this floor."""

from allauth.account.signals import (
    authentication_step_completed,
    login_code_rejected,
    password_changed,
    password_reset,
    password_set,
)
from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in

from .celery import app as celery_app  # tasks of all doors use our broker


class AdvocacyConfig(AppConfig):
    """Registers the app under its own name."""

    name = "advocacy"
    celery = celery_app

    def ready(self) -> None:
        """Have logins and second factors counted as the proofs that they are."""
        # models are ready only now
        from allauth.mfa.signals import (  # noqa: PLC0415
            authentication_failed,
            authenticator_added,
            authenticator_removed,
        )

        from . import logged, second_factor, session_limits, stepup  # noqa: PLC0415

        user_logged_in.connect(session_limits.on_login)
        user_logged_in.connect(stepup.on_login)
        user_logged_in.connect(second_factor.on_login)
        authentication_step_completed.connect(stepup.on_step)
        authentication_step_completed.connect(second_factor.on_step)
        for changed in (password_set, password_changed, password_reset):
            changed.connect(session_limits.on_password)
            changed.connect(logged.on_password)
        user_logged_in.connect(logged.on_login)
        authentication_step_completed.connect(logged.on_step)
        login_code_rejected.connect(logged.on_wrong_code)
        authentication_failed.connect(logged.on_wrong_factor)
        authenticator_added.connect(logged.on_added)
        authenticator_removed.connect(logged.on_removed)
        for changed in (authenticator_added, authenticator_removed):
            changed.connect(session_limits.on_factor)
        authenticator_added.connect(second_factor.on_added)
        authenticator_removed.connect(second_factor.on_removed)
