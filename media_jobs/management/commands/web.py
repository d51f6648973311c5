from typing import Any

from django.conf import settings

from media_jobs.management.commands import serve


class Command(serve.Command):
    help = "Run the web server alone: `serve` with WORKERS=0. Workers run elsewhere, by `worker`."

    def handle(self, *args: Any, **options: Any) -> None:
        settings.WORKERS = 0  # for all that asks how many there are, here and in what is forked
        super().handle(*args, **options)
