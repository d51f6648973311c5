"""Feature flags: whether one is on for a key, who changes it, and what guards it."""
