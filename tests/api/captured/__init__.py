"""Asks the service for the real answers that its document shows: `python -m tests.api.captured` writes them anew."""
