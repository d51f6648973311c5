"""Who calls: API keys, and tickets for event streams."""
