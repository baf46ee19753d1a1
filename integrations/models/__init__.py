"""Rows of the floor that knows where to."""

from .account import ConnectAttempt, ConnectedAccount, Revocation, ServerApp, Token
from .api import ApiAnswer, ApiToken
from .chat import ChatRoom
from .instance import Instance
from .limits import Bucket, Budget, Circuit
from .push import PushDevice, PushKey
from .wall import WallPost

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
]
