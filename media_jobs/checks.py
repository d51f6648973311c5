"""System checks: what `manage.py check` and every start look at."""
