"""A corpus of real pictures, through the pipeline: `make corpus CORPUS=dir`.

The directory holds a `manifest.csv` and the files that it names. Needs no Django and no server.
"""
