import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from media_jobs.runtime.nats_consumer import Consumer


class Command(BaseCommand):
    help = "Takes image requests from NATS until SIGTERM or Ctrl-C. Several may run: each message comes to one of them."

    def handle(self, **options: Any) -> None:
        if not settings.NATS_URI:
            raise CommandError("NATS_URI is not set: there is nothing to take requests from.")
        consumer = Consumer(settings.NATS_URI)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: consumer.stop())
        consumer.run()
