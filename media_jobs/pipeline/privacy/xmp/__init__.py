"""XMP: reading packets, mending those that are no XML, and the names in them."""
