"""What files look like inside. Stdlib only; nothing here decodes a pixel."""
