"""Copies of the database and of stored files, made while the service runs."""
