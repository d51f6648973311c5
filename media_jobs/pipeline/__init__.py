"""Files in, derivatives out. Pure: no Django, no network, no credentials.

Importing this package, `recipes`, `sniff` or `values` does not load libvips; only `child` and what it calls do.
"""
