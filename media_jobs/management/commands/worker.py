import time
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from media_jobs.adapters.decoder.selftest import DecoderUnusable, selftest
from media_jobs.adapters.queue_probe import QueueUnusable, probe_queue
from media_jobs.adapters.storage import Role
from media_jobs.management import numbers
from media_jobs.management.storage_probe import StorageUnusable, probe_storage
from media_jobs.runtime import memory
from media_jobs.runtime.preparation import database_problem
from media_jobs.runtime.workers.process import run_worker

log = structlog.get_logger(__name__)

_ASK_AGAIN_S = 1.0


class Command(BaseCommand):
    help = "Works until SIGTERM or Ctrl-C; pictures in hand are finished within 20 s, or left to another worker."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--slots", type=numbers.workers, default=1, help="how many pictures at once (1); about one for each core"
        )

    def handle(self, *, slots: int, **options: Any) -> None:
        try:
            selftest(settings.SANDBOX_MEMORY_BYTES, settings.WORK_DIR)
            probe_storage(Role.WORKER)
            probe_queue()
        except (DecoderUnusable, StorageUnusable, QueueUnusable) as error:
            raise CommandError(str(error)) from error
        _wait_for_tables()
        memory.share()
        run_worker(slots, metrics_port=settings.METRICS_PORT)


def _wait_for_tables() -> None:
    """Another host, which has just been started, too, may be making them. A signal ends the wait, and the process."""
    while problem := database_problem():
        log.warning("paused", reason="database_unavailable", why=problem)
        connection.close()
        time.sleep(_ASK_AGAIN_S)
