import fcntl
import importlib
import io
import os
import signal
import socket
import struct
from functools import partial
from typing import IO, Any, NoReturn

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import get_resolver
from django.utils import timezone
from django.utils.module_loading import import_string

from media_jobs import event_log
from media_jobs.adapters.decoder.selftest import DecoderUnusable, selftest
from media_jobs.adapters.storage import Role
from media_jobs.management import welcome
from media_jobs.management.storage_probe import StorageUnusable, probe_storage
from media_jobs.runtime.children import Child, fork, name_process
from media_jobs.runtime.supervisor import Supervisor, WebApplication
from media_jobs.runtime.valkey import EmbeddedValkey, ValkeyUnusable

#: Hosts that start at once migrate one after the other. Any number will do, as long as it stays.
MIGRATION_LOCK = 7_264_911
#: A client that stalls within the headers of its request gives its thread back.
HEADER_STALL_S = 30


class CannotStart(SystemExit):
    """Ends the start with exit code 1 and one line on standard error that says why."""

    def __init__(self, why: str) -> None:
        super().__init__(f"gallimg cannot start. {why}")


class Command(BaseCommand):
    help = "Run the whole service on this machine: web server, workers, and a queue unless REDIS_URL names one."
    requires_system_checks = []  # they run in the fork that migrates: the master stays clean

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
            preparation = partial(prepare_database, migrate=not options["no_migrate"])
            preparing = fork("gallimg-migrate", preparation, close=[listener, lock])
            probing = fork("gallimg-probe", probe_decoder, close=[listener, lock])
            asking = fork("gallimg-storage", ask_storage, close=[listener, lock])
            load_application()
            for pid in (preparing, probing, asking):
                if os.waitpid(pid, 0)[1]:
                    raise SystemExit(1)
        except BaseException:
            for child in queue:
                child.kill()
            raise
        greeter = Child("greeter", partial(welcome.greet, since=started_at, first_run=options["welcome"]), once=True)
        workers = [Child(f"worker{n}", work) for n in range(1, settings.WORKERS + 1)]
        web = WebApplication(load_application, listener=listener, threads=settings.WEB_THREADS, inherited=[lock])
        Supervisor(web, [*workers, greeter], last=queue).run()


def _stop_early(number: int, frame: object) -> NoReturn:
    """Until the supervisor takes over. What was forked dies with this process, also when the start fails."""
    raise SystemExit(0)


def lock_data_directory() -> IO[str]:
    """Hold the data directory until this process ends. Raises CannotStart when another service does."""
    path = settings.DATA_DIR / "lock"
    try:
        settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = path.open("a+")
    except OSError as error:
        raise CannotStart(
            f"GALLIMG_DATA: got {str(settings.DATA_DIR)!r}, which cannot be used ({error.strerror}); "
            "takes a directory that you may write to"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        raise CannotStart(
            f"It is already running on {settings.DATA_DIR} (process {lock.read().strip() or 'unknown'}); "
            "stop it, or choose another GALLIMG_DATA"
        ) from error
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises CannotStart when there can be none."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", HEADER_STALL_S, 0))
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        raise CannotStart(
            f"Cannot listen on {host}:{port} ({error.strerror}); choose another PORT, such as PORT={port % 65535 + 1}, "
            "or another HOST"
        ) from error
    return listener


def start_queue() -> list[Child]:
    """Our own Valkey, answering, unless REDIS_URL names another server."""
    if not settings.EMBEDDED_QUEUE:
        return []
    valkey = EmbeddedValkey(settings.EMBEDDED_SOCKET, settings.DATA_DIR / "valkey")
    child = Child("valkey", valkey.run)
    try:
        child.started(valkey.start())
    except ValkeyUnusable as error:
        raise CannotStart(f"Queue server: {error}") from error
    return [child]


def prepare_database(*, migrate: bool) -> None:
    """Run the system checks, then bring the tables up to date. For a fork: it leaves with one line on failure."""
    try:
        call_command("check", stdout=io.StringIO())
        if migrate:
            bring_up_to_date()
    except CommandError as error:
        raise CannotStart(str(error)) from error
    except (DatabaseError, ImproperlyConfigured) as error:
        why = " ".join(str(error).split())
        raise CannotStart(f"{settings.DATABASES['default']['ENGINE'].rpartition('.')[2]}: {why}") from error


def bring_up_to_date() -> None:
    """Migrate, alone among all hosts that share the database."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])  # until this process ends
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", interactive=False, verbosity=0)
        event_log.after_restore()


def probe_decoder() -> None:
    """See every format decoded once. For a fork: it leaves with one line on failure."""
    try:
        selftest(settings.SANDBOX_MEMORY_BYTES, settings.WORK_DIR)
    except DecoderUnusable as error:
        raise CannotStart(str(error)) from error


def ask_storage() -> None:
    """See whether the bucket would take what web process and workers write. For a fork, as above."""
    try:
        probe_storage(Role.WEB, *([Role.WORKER] if settings.WORKERS else []))
    except StorageUnusable as error:
        raise CannotStart(str(error)) from error


def load_application() -> Any:
    """Import all that web process and workers run, so that their forks share its memory."""
    application = import_string(settings.WSGI_APPLICATION)
    _ = get_resolver().url_patterns
    importlib.import_module("media_jobs.runtime.worker_loop")
    if settings.S3_BUCKET:
        importlib.import_module("boto3.session")
    return application


def work() -> None:
    from media_jobs.runtime.worker_loop import run_worker  # noqa: PLC0415  (loads much; not for every command)

    run_worker()
