"""Damaged pictures of every format through the decoder's process: `make fuzz`.

Every input has a name, `SEED-NUMBER`, from which it can be made again.
"""
