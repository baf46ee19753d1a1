"""Rows of the floor that knows where to."""

from .account import ConnectAttempt, ConnectedAccount, Revocation, ServerApp, Token
from .instance import Instance
from .limits import Bucket, Budget, Circuit
from .wall import WallPost

__all__ = [
    "Bucket",
    "Budget",
    "Circuit",
    "ConnectAttempt",
    "ConnectedAccount",
    "Instance",
    "Revocation",
    "ServerApp",
    "Token",
    "WallPost",
]
