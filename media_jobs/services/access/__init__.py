"""Who is let in, and how often."""
