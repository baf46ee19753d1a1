"""Rows of the floor that knows where to."""

from .account import ConnectAttempt, ConnectedAccount, ServerApp, Token
from .wall import WallPost

__all__ = ["ConnectAttempt", "ConnectedAccount", "ServerApp", "Token", "WallPost"]
