"""Failures, grouped by what to do about them."""
