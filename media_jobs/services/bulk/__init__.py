"""One thing done to many pictures: chosen and frozen, shown, confirmed, and done little by little by the workers."""
