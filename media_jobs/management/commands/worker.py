from typing import Any

from django.core.management.base import BaseCommand

from media_jobs.management.working import run_worker


class Command(BaseCommand):
    help = "Runs one worker until it is stopped by SIGTERM or Ctrl-C; a picture in hand is finished first."

    def handle(self, **options: Any) -> None:
        run_worker()
