import importlib
import os
import signal
from datetime import datetime
from functools import partial
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.urls import get_resolver
from django.utils import timezone
from django.utils.module_loading import import_string

from media_jobs.adapters import database, memory_left, storage
from media_jobs.adapters.queue_probe import QueueUnusable, probe_queue
from media_jobs.adapters.storage import Role
from media_jobs.management.storage_probe import StorageUnusable, probe_storage
from media_jobs.runtime import memory
from media_jobs.runtime.children import Child, fork, name_process
from media_jobs.runtime.resources import CannotStart, listen, lock_data_directory, start_queue
from media_jobs.runtime.supervisor import Supervisor, WebApplication

#: Of so little memory the 25 MB count that a worker process takes for itself.
_SMALL_HOST_BYTES = 512 * 1_048_576


class Command(BaseCommand):
    help = "Run the whole service on this machine: web server, WORKERS slots of a worker, a queue without REDIS_URL."
    requires_system_checks = []  # the fork that migrates runs them: the master opens no connection

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--welcome", action="store_true", help="first start: make an administrator and two samples")
        parser.add_argument("--no-migrate", action="store_true", help="leave the database's tables as they are")

    def handle(self, *args: Any, **options: Any) -> None:
        started_at = timezone.now()
        name_process("gallimg")
        signal.signal(signal.SIGTERM, _stop_early)
        signal.signal(signal.SIGINT, _stop_early)
        lock = lock_data_directory()
        listener = listen(settings.LISTEN_HOST, settings.LISTEN_PORT)
        queue = start_queue()
        try:
            decoding = fork("gallimg-probe", check_decoder, close=[listener, lock])  # takes the longest
            load_application()  # what is forked from here on takes hardly any memory of its own
            memory.share()
            preparation = partial(check_database, migrate=not options["no_migrate"])
            migrating = fork("gallimg-migrate", preparation, close=[listener, lock])
            storing = fork("gallimg-storage", check_storage, close=[listener, lock])
            asking = fork("gallimg-queue", check_queue, close=[listener, lock])
            for pid in (migrating, decoding, storing, asking):
                if os.waitpid(pid, 0)[1]:
                    raise SystemExit(1)
        except BaseException:
            for child in queue:
                child.kill()
            raise
        greeter = Child("greeter", partial(greet, since=started_at, first_run=options["welcome"]), once=True)
        in_web = settings.WORKERS if are_in_web() else 0
        slots = settings.WORKER_SLOTS if settings.WORKERS and not in_web else []
        workers = [Child(f"worker{n}", partial(work, n, of_it)) for n, of_it in enumerate(slots, start=1)]
        web = WebApplication(
            load_application,
            listener=listener,
            threads=settings.WEB_THREADS,
            waiters=settings.MAX_WAITERS,
            slots=in_web,
            inherited=[lock],
        )
        master = os.getpid()
        try:
            Supervisor(web, [*workers, greeter], last=queue).run()
        finally:
            if os.getpid() == master:  # all that had the database open have ended
                database.checkpoint()


def _stop_early(number: int, frame: object) -> NoReturn:
    """End the start. The supervisor has its own handlers; what was forked dies with this process anyway."""
    raise SystemExit(0)


def check_decoder() -> None:
    from media_jobs.runtime.preparation import probe_decoder  # noqa: PLC0415  (what it loads is for this fork alone)

    probe_decoder()


def check_database(*, migrate: bool) -> None:
    from media_jobs.runtime.preparation import prepare_database  # noqa: PLC0415  (the same)

    prepare_database(migrate=migrate)


def greet(*, since: datetime, first_run: bool) -> None:
    from media_jobs.management import welcome  # noqa: PLC0415  (the same)

    welcome.greet(since=since, first_run=first_run)


def check_storage() -> None:
    """Check that the bucket takes what web process and workers write. For a fork: it exits with one line on failure."""
    try:
        probe_storage(Role.WEB, *([Role.WORKER] if settings.WORKERS else []))
    except StorageUnusable as error:
        raise CannotStart(str(error)) from error


def check_queue() -> None:
    """Check that Redis takes our settings. For a fork: it exits with one line on failure."""
    try:
        probe_queue()
    except QueueUnusable as error:
        raise CannotStart(str(error)) from error


def are_in_web() -> bool:
    """Whether the slots of WORKERS belong into the web process."""
    if settings.WORKERS_IN_WEB == "auto":
        return len(settings.WORKER_SLOTS) == 1 and memory_left.bytes_in_all() <= _SMALL_HOST_BYTES
    return bool(settings.WORKERS_IN_WEB == "true")


def load_application() -> Any:
    """Import all that web process and workers run, and make their clients, so that their forks share the memory."""
    application = import_string(settings.WSGI_APPLICATION)
    _ = get_resolver().url_patterns
    importlib.import_module("media_jobs.runtime.workers.process")
    if settings.S3_BUCKET:
        importlib.import_module("boto3.session")
        storage.prepare()
    return application


def work(number: int, slots: int) -> None:
    from media_jobs.runtime.workers.process import run_worker  # noqa: PLC0415  (loads much; not for every command)

    run_worker(slots, metrics_port=settings.METRICS_PORT and settings.METRICS_PORT + number)
