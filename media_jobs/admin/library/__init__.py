"""The library: pictures as a grid or a list, by filters that can be seen and removed."""
