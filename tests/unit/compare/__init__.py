"""Pictures beside each other: what is measured, and what is made of it."""
