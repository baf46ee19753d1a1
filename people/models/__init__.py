"""Rows of HR's rooms."""
