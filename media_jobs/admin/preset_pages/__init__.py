"""Presets by name: a table of sizes, a preview, a history, and what is stale."""
