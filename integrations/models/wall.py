"""The practice wall: an internal network for rehearsal."""

import uuid
from typing import ClassVar

from django.db import models

from .account import ConnectedAccount


class WallPost(models.Model):
    """A post on the wall. One key makes one post, however often it is sent."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(ConnectedAccount, on_delete=models.CASCADE)
    key = models.UUIDField()
    text = models.TextField()
    language = models.CharField(max_length=12, blank=True)
    link_url = models.TextField(blank=True)
    alt = models.TextField(blank=True)
    likes = models.PositiveIntegerField(default=0)
    reposts = models.PositiveIntegerField(default=0)
    replies = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "key"], name="wall_post_once"),
        ]

    def __str__(self) -> str:
        return self.text[:40]
