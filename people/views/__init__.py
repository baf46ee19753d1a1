"""Doors of HR's rooms."""
