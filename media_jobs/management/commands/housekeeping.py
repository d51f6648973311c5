from argparse import ArgumentParser
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand

from media_jobs.services import housekeeping


class Command(BaseCommand):
    help = "Mends what died: expired leases, unfinished uploads, objects that no row wants. Workers do it too."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than",
            type=float,
            metavar="MINUTES",
            help="age from which a leftover is removed (default: CLEANUP_INTERVAL_MINUTES)",
        )

    def handle(self, **options: Any) -> None:
        minutes = options["older_than"]
        swept = housekeeping.run(older_than=None if minutes is None else timedelta(minutes=minutes))
        for name, count in asdict(swept).items():
            self.stdout.write(f"{name.replace('_', ' ')}: {count}")
