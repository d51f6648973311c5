"""The programs that are compared: a line `{"way", "picture"}` in, a line `{"cpu_s", "outputs_px"}` out."""
