"""How Django writes what it formats by itself."""
