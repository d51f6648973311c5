#!/usr/bin/env python
"""Django's command line for the service: `python manage.py help` lists what it can do."""

import os
import secrets
import sys

from gallimg_site.data_directory import UMASK


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gallimg_site.settings")
    if sys.argv[1:2] != ["render"]:  # whose files are for whoever asked for them
        os.umask(UMASK)
    if sys.argv[1:2] == ["render"] or {"housekeeping", "--dry-run"} <= set(sys.argv):
        # They sign nothing, and make no data directory for a key.
        os.environ["SECRET_KEY"] = os.environ.get("SECRET_KEY") or secrets.token_urlsafe(50)
    from django.core.management import execute_from_command_line  # noqa: PLC0415  (after the settings are named)

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
