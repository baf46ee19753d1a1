"""Fields and one picture in one body: ``multipart/form-data`` (RFC 7578)."""

import secrets
from collections.abc import Mapping

from .base import Picture


def multipart(fields: Mapping[str, str], name: str, picture: Picture) -> tuple[bytes, str]:
    """The body and its content type; ``name`` is the picture's field."""
    border = secrets.token_hex(16)
    texts = [
        f'--{border}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in fields.items()
    ]
    head = (
        f'--{border}\r\nContent-Disposition: form-data; name="{name}"; filename="picture"\r\n'
        f"Content-Type: {picture.media_type}\r\n\r\n"
    )
    body = "".join([*texts, head]).encode() + picture.content + f"\r\n--{border}--\r\n".encode()
    return body, f"multipart/form-data; boundary={border}"
