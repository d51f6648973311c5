"""Those who take part. Each is a program: a line `{"way", "picture"}` in, a line `{"cpu_s", "outputs_px"}` out."""
