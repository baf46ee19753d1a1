"""Rows of the reception."""
