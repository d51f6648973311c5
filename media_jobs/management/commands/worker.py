from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from media_jobs.adapters.decoder.selftest import DecoderUnusable, selftest
from media_jobs.adapters.queue_probe import QueueUnusable, probe_queue
from media_jobs.adapters.storage import Role
from media_jobs.management.storage_probe import StorageUnusable, probe_storage
from media_jobs.runtime.worker_loop import run_worker


class Command(BaseCommand):
    help = "Runs one worker until SIGTERM or Ctrl-C; a picture in hand is finished within 20 s, or left to another."

    def handle(self, **options: Any) -> None:
        try:
            selftest(settings.SANDBOX_MEMORY_BYTES, settings.WORK_DIR)
            probe_storage(Role.WORKER)
            probe_queue()
        except (DecoderUnusable, StorageUnusable, QueueUnusable) as error:
            raise CommandError(str(error)) from error
        run_worker()
