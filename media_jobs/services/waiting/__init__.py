"""Callers that wait until something happens: what they wait for, who notices, and who is told."""
