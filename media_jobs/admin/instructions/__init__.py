"""Pages about products, instructions and their files, and how much is stored."""

from media_jobs.admin.instructions import instructions, products, stored

__all__ = ["instructions", "products", "stored"]
