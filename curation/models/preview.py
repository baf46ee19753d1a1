"""What a page said about itself when it was last read."""

from django.db import models


class LinkPreview(models.Model):
    """One page, by SHA-256 of its address; read again after an hour. The picture is our copy."""

    url_key = models.CharField(max_length=64, unique=True)
    url = models.URLField(max_length=1000)
    title = models.CharField(max_length=200, blank=True)
    description = models.CharField(max_length=400, blank=True)
    site = models.CharField(max_length=80, blank=True)
    picture = models.FileField(upload_to="previews/", blank=True)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    why = models.CharField(max_length=20, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    read_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.url
