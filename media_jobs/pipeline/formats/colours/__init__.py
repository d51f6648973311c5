"""How files tell what their colours are, other than by an ICC profile."""
