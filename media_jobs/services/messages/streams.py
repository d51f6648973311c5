"""The streams behind the two subjects, where no other takes these."""

from django.conf import settings

from media_jobs.adapters.nats.client import Stream

_DAY_S = 86_400.0


def requests() -> Stream:
    """Unread requests neither fill a disk nor hold up whoever publishes: the oldest go first."""
    return Stream("gallimg-requests", settings.NATS_SUBJECT_IMAGE_REQUESTS, max_bytes=256 << 20, max_age_s=7 * _DAY_S)


def notifications() -> Stream:
    return Stream(
        "gallimg-notifications", settings.NATS_SUBJECT_NOTIFICATIONS, max_bytes=256 << 20, max_age_s=2 * _DAY_S
    )


def by_subject() -> dict[str, Stream]:
    return {stream.subject: stream for stream in (requests(), notifications())}
