"""Two pictures of one original, side by side: what differs, and which of them is nearer to it.

`values` has what goes in and comes out, `judge` what it means; neither loads an image library.
"""
