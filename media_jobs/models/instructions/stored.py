"""How much is stored, by kind and owner."""

from django.db import models

from media_jobs.models.base import choices, only_known
from media_jobs.states import StoredKind


class StoredEntry(models.Model):
    """One line of a ledger: so many objects and bytes more, or less, since then; the sum is what is stored.

    Triggers (`adapters.triggers`) write it in the transaction that changes an original or a derivative, so it is as
    true as the rows are, and no two writers wait for each other. Housekeeping adds lines up.
    """

    id = models.BigAutoField(primary_key=True)
    owner = models.CharField(max_length=255)
    kind = models.CharField(max_length=16, choices=choices(StoredKind))
    objects_more = models.BigIntegerField()
    bytes_more = models.BigIntegerField()

    class Meta:
        verbose_name = "stored amount"
        constraints = [only_known("kind", StoredKind, "stored_kind_known")]
        indexes = [models.Index(fields=["owner", "kind"], name="stored_of_owner")]

    def __str__(self) -> str:
        return f"{self.owner} {self.kind} {self.bytes_more:+}"
