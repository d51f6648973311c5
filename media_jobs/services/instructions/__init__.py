"""Instructions: files of a caller that belong together, under the limits of a product."""
