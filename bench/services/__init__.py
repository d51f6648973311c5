"""Whole services that take the same uploads: ours, and what one would use instead."""
