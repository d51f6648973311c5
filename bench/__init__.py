"""How fast the pipeline is, and how much memory it takes, against its peers. `make bench` prints the table.

A ratio compares two processes that take turns on the same picture within one run (A B A B …), by processor time: it
hardly depends on the machine, nor on what else runs there. Figures are medians of the pairs, with lowest and highest.
"""
