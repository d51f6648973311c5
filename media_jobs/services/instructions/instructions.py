"""Making instructions."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from media_jobs.callers import Caller
from media_jobs.models import Instruction
from media_jobs.models.base import uuid7
from media_jobs.services.instructions import products

log = structlog.get_logger(__name__)


def create(*, caller: Caller, product: str, name: str = "") -> Instruction:
    """Make an instruction without files. product: its name or id. Raises UnknownProduct."""
    chosen = products.find(product, caller.id)
    instruction_id = uuid7()
    instruction = Instruction.objects.create(
        id=instruction_id,
        owner=caller.id,
        product=chosen,
        name=name,
        created_at=moment_of(instruction_id),
    )
    log.info("instruction_created", instruction=str(instruction.pk), product=chosen.name)
    return instruction


def moment_of(identifier: UUID) -> datetime:
    """Return the moment at which this UUID (version 7) was made, to the millisecond: the two then sort alike."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=identifier.int >> 80)
