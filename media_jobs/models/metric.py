"""What `/metrics` tells that all hosts have in common."""

from django.db import models
from django.db.models.functions import Now

from media_jobs.models.base import choices, only_known
from media_jobs.states import Metric


class MetricEntry(models.Model):
    """One line of a ledger: so much more of a metric, since then; the sum is what it stands at.

    Triggers (`adapters.metric_triggers`) write it in the transaction of what is counted, and no two writers wait for
    each other. Housekeeping adds lines up.
    """

    id = models.BigAutoField(primary_key=True)
    metric = models.CharField(max_length=32, choices=choices(Metric))
    label = models.CharField(max_length=32, blank=True)
    le_ms = models.PositiveIntegerField(null=True, help_text="The bucket of a duration; none, or beyond the last one.")
    count_more = models.BigIntegerField()
    sum_more = models.BigIntegerField(help_text="Bytes, or milliseconds.")

    class Meta:
        verbose_name = "counted amount"
        constraints = [only_known("metric", Metric, "metric_known")]

    def __str__(self) -> str:
        return f"{self.metric} {self.label} {self.count_more:+}"


class WorkerProcess(models.Model):
    """A worker that takes jobs of the service. It says again and again that it lives; its end removes the row."""

    name = models.CharField(max_length=255, primary_key=True, help_text="As in the leases of its jobs.")
    host = models.CharField(max_length=255)
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
