from django.apps import AppConfig


class MediaJobsConfig(AppConfig):
    """The image service. Models, admin and checks register themselves from here."""

    name = "media_jobs"
    verbose_name = "Image service"

    def ready(self) -> None:
        from media_jobs import checks  # noqa: F401  (registers the system checks)
