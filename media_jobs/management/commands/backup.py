from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError

from media_jobs.errors import MediaError
from media_jobs.services import backups


class Command(BaseCommand):
    help = (
        "Copies the database, and where pictures are files those, into a folder, while everything runs. "
        "Into a folder with an earlier backup it copies what is new. “manage.py restore” brings it back."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="where it goes; made if need be, and for its owner alone")
        parser.add_argument(
            "--originals-only",
            action="store_true",
            help="leave out derivatives: after a restore “manage.py repair” has them made again",
        )

    def handle(self, **options: Any) -> None:
        folder: Path = options["folder"].resolve()
        try:
            made = backups.make(folder, derivatives=not options["originals_only"])
        except OSError as error:
            raise CommandError(f"{error.filename or folder}: {error.strerror or error}") from error
        except MediaError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The database could not be copied: {' '.join(str(error).split())}") from error
        self.stdout.write(f"The database is in {folder}.")
        if settings.S3_BUCKET:
            self.stdout.write(f"Pictures are in the bucket “{settings.S3_BUCKET}”, which needs a backup of its own.")
        else:
            self.stdout.write(f"Objects copied: {made.copied:,} new ones.")
