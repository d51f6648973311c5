"""Objects that lie in the storage already become originals."""
