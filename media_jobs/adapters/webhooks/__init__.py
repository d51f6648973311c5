"""Posting events to addresses that others have chosen."""
