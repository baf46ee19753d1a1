"""Rows of the floor that knows where to."""

from .account import ConnectAttempt, ConnectedAccount, Revocation, ServerApp, Token
from .api import ApiAnswer, ApiToken
from .chat import ChatRoom
from .instance import Instance
from .limits import Bucket, Budget, Circuit
from .push import PushDevice, PushKey
from .wall import WallPost
from .webhook import Webhook, WebhookEvent, WebhookTelling

__all__ = [
    "ApiAnswer",
    "ApiToken",
    "Bucket",
    "Budget",
    "ChatRoom",
    "Circuit",
    "ConnectAttempt",
    "ConnectedAccount",
    "Instance",
    "PushDevice",
    "PushKey",
    "Revocation",
    "ServerApp",
    "Token",
    "WallPost",
    "Webhook",
    "WebhookEvent",
    "WebhookTelling",
]
