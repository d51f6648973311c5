"""Parts about a whole service: what it takes, makes and holds."""
