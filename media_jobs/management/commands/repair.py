from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from media_jobs.errors import MediaError
from media_jobs.services import repairing
from media_jobs.services.repairing import Found

_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Looks whether the storage has what the database names, and queues the jobs whose derivatives are missing: "
        "workers make them again, under the same addresses. Exit code 1: originals are missing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what is missing")

    def handle(self, **options: Any) -> None:
        dry_run: bool = options["dry_run"]
        found = Found()
        try:
            for part in repairing.repair(dry_run=dry_run):
                found.add(part)
        except MediaError as error:
            raise CommandError(f"{error} Nothing is lost by that; run it again.") from error
        would = "would be " if dry_run else ""
        self.stdout.write(f"Images: {found.images:,}. Derivatives missing: {found.derivatives:,}.")
        self.stdout.write(f"Jobs {would}queued: {found.queued:,}.")
        if found.originals:
            shown = "\n".join(found.originals[:_SHOWN])
            more = f"\nand {len(found.originals) - _SHOWN:,} more" if len(found.originals) > _SHOWN else ""
            count = f"Originals missing: {len(found.originals):,}"
            raise CommandError(f"{count}. Bring them back from a backup of the storage:\n{shown}{more}")
