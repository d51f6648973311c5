"""One way in for each decoder. Importing `vips` loads libvips; the others load their library when a file needs it."""
