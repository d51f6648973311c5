"""Tells others of events by HTTP: whom, of what, how often."""
