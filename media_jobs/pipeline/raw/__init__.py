"""Where camera raw files keep their previews, layout by layout. Stdlib only; reads no more than it looks at."""
