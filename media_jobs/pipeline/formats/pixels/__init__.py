"""How pixels lie in files: pages, samples, scans, crops. Stdlib only."""
