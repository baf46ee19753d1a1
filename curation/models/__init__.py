"""Rows of the floor where the newsroom works."""
