"""Pages about products, instructions and their files, and how much is stored."""

from media_jobs.admin.instructions import dead_letters, instructions, products, stored

__all__ = ["dead_letters", "instructions", "products", "stored"]
