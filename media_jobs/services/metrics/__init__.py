"""What Prometheus reads: what all hosts have in common, from the database, and what one process knows of itself."""

import hmac

from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from media_jobs.services.metrics.families import DatabaseCollector
from media_jobs.services.metrics.own import DiskCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST

_SHARED = CollectorRegistry()
_SHARED.register(DatabaseCollector())
REGISTRY.register(DiskCollector())


def all_metrics() -> bytes:
    """Everything, in Prometheus' text format. While the database is away only what this process knows."""
    return own_metrics() + generate_latest(_SHARED)


def own_metrics() -> bytes:
    """What no other process can tell: memory, processor time, requests, statements, the host's disk."""
    return generate_latest(REGISTRY)


def has_token(authorization: str) -> bool:
    """Whether that header bears METRICS_TOKEN."""
    return hmac.compare_digest(authorization.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
