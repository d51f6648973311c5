"""Feature flags: how far each is, who changed it, and what its guard says."""
