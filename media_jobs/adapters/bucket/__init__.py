"""The bucket itself: who may do what in it, how it is set up, and whether all that is true. Reads no settings."""
