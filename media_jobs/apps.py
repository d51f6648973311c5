from typing import Any

from django.apps import AppConfig
from django.apps.registry import Apps
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate

from media_jobs.optional_packages import without


class MediaJobsConfig(AppConfig):
    """The image service."""

    name = "media_jobs"
    verbose_name = "Image service"

    def ready(self) -> None:
        with without("django.contrib.postgres", "pygments", "requests", "yaml"):
            import rest_framework.compat  # noqa: F401, PLC0415
        from media_jobs import checks  # noqa: F401, PLC0415  (registers the checks)
        from media_jobs.adapters import database  # noqa: PLC0415
        from media_jobs.api.shared import sign_in  # noqa: PLC0415

        sign_in.register()
        connection_created.connect(database.limit_idle_transactions)
        pre_migrate.connect(_before_migrate, sender=self)
        post_migrate.connect(_after_migrate, sender=self)


def _before_migrate(*, plan: list[Any], **_: Any) -> None:
    from django.db import connection  # noqa: PLC0415

    from media_jobs.adapters import metric_triggers, triggers  # noqa: PLC0415

    if plan and connection.vendor == "sqlite":
        metric_triggers.remove()
        triggers.remove()


def _after_migrate(*, apps: Apps | None = None, **_: Any) -> None:
    from media_jobs import event_log  # noqa: PLC0415  (needs the models)
    from media_jobs.adapters import metric_triggers, triggers  # noqa: PLC0415

    there = apps.all_models["media_jobs"] if apps else None  # somebody may migrate back to where they are not
    if there is None or "eventclock" in there:
        event_log.after_restore()
    if there is None or set(there) >= triggers.MODELS:
        triggers.install()
    if there is None or metric_triggers.MODEL in there:
        metric_triggers.install()
