"""Doing one thing to many pictures: a preview, a confirmation, progress."""
