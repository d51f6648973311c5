"""The tasks about what is kept for a time: originals, deleted images, histories."""
