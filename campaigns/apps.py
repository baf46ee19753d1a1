"""Django app of this floor."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """Registers the app under its own name."""

    name = "campaigns"
