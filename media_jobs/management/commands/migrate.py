"""`migrate` as `serve` does it: it waits for no table behind which all others would queue."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate

from media_jobs.runtime import migrating
from media_jobs.runtime.resources import CannotStart


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            migrating.migrate(lambda: super(Command, self).handle(*args, **options))
        except CannotStart as error:
            raise CommandError(str(error)) from error
