"""Camera raw files: which preview is taken, which way up it is, and what is said where there is none."""
