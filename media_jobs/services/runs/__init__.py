"""Many images being made again: choose, estimate, confirm, work, pause, take back."""
