"""Presets by version, their sizes, and previews of them."""
