"""Shadows: what a live site makes of a picture, and what this service makes of it, compared."""
