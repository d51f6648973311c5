"""Adding pictures by hand: many files, with progress for each."""
