"""The workbench: how ours do beside the pictures of a live site, and what somebody should look at."""
