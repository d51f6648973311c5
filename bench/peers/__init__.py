"""The programs that are compared. Each reads a line `{"way", "picture"}` and writes a line `{"cpu_s", "outputs_px"}`."""
