"""What is measured. A part is a module with `rows`; `bench/__main__.py` knows each by its name."""
