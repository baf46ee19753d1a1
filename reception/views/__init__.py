"""Doors of the reception."""
