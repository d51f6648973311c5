from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError

from media_jobs.errors import MediaError
from media_jobs.runtime.resources import lock_data_directory
from media_jobs.runtime.restoring import restore


class Command(BaseCommand):
    help = (
        "Brings back what “manage.py backup” has copied, into an empty database and storage. Stop all web hosts and "
        "workers first. Afterwards “manage.py repair” has made again what the storage lacks."
    )
    requires_system_checks = []  # there may be no tables yet

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="that of the backup")
        parser.add_argument("--replace", action="store_true", help="also where there are images already: they are lost")

    def handle(self, **options: Any) -> None:
        folder: Path = options["folder"].resolve()
        lock = lock_data_directory()
        try:
            count = restore(folder, replace=options["replace"])
        except OSError as error:
            raise CommandError(f"{error.filename or folder}: {error.strerror or error}") from error
        except MediaError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The database took it not: {' '.join(str(error).split())}") from error
        finally:
            lock.close()
        self.stdout.write(f"The database is back, and {count:,} objects.")
        self.stdout.write("Start the service, and run “manage.py repair”.")
