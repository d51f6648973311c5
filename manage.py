#!/usr/bin/env python
"""Django's command line for the service: `python manage.py help` lists what it can do."""

import os
import secrets
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gallimg_site.settings")
    if sys.argv[1:2] == ["render"]:  # needs no data directory for a key: it signs nothing
        os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
    from django.core.management import execute_from_command_line  # noqa: PLC0415  (after the settings are named)

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
