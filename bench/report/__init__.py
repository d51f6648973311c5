"""What was measured, as text."""
