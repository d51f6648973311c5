"""Policies, setup and check of the bucket itself. Reads no settings."""
