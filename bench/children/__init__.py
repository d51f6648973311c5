"""Processes that parts start and ask."""
