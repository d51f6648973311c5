"""The page of one picture, and what can be done to it there."""
