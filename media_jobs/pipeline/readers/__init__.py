"""One way in for each decoder, and what is known of decoders: what they hold, why they give up, what they accept.

Importing `vips` loads libvips; the other decoders' libraries are loaded when a file needs them.
"""
