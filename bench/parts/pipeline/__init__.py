"""Parts about one picture: its render step, its bytes, its memory."""
