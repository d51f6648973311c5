from django.apps import AppConfig


class MediaJobsConfig(AppConfig):
    """The image service."""

    name = "media_jobs"
    verbose_name = "Image service"

    def ready(self) -> None:
        from media_jobs import metrics  # noqa: PLC0415  (needs the models)

        metrics.register()
