"""The history of a job as a person reads it."""

from dataclasses import dataclass
from typing import Any

from media_jobs.admin import cells
from media_jobs.admin.access.caller_names import names_of
from media_jobs.errors import Blame
from media_jobs.models import Job, JobEvent

#: The types of events whose name does not say enough.
TITLES = {"retry_due": "failed, to be tried again", "reported": "uploader told"}
COLOURS = {"retry_due": "warned", "lease_expired": "warned"}
BLAMES: dict[str, str] = {
    Blame.FILE: "the file itself",
    Blame.SERVER: "storage, network or disk",
    Blame.MACHINE: "memory or time",
    Blame.BUG: "a bug of ours",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history. facts: names and values beside the sentence."""

    event: JobEvent
    title: str
    who: str
    sentence: str
    code: str
    facts: list[tuple[str, str]]

    @property
    def colour(self) -> str:
        return COLOURS.get(self.event.type, self.event.type)


def of(job: Job) -> list[Entry]:
    """Return the entries, oldest first, with names instead of ids."""
    events = list(job.events.order_by("number"))
    names = names_of({event.actor for event in events})
    return [_entry(event, names[event.actor]) for event in events]


def _entry(event: JobEvent, who: str) -> Entry:
    data = {name: fact for name, fact in event.data.items() if fact is not None}
    return Entry(
        event,
        TITLES.get(event.type, event.type.replace("_", " ")),
        who,
        str(data.pop("detail", "")),
        str(data.pop("code", "")),
        [_fact(name, fact) for name, fact in data.items()],
    )


def _fact(name: str, fact: Any) -> tuple[str, str]:
    """Return name and value as a person reads them; the event's names end in their unit."""
    if name == "blame":
        return "because of", BLAMES.get(str(fact), str(fact))
    if name == "wait_s":
        return "again", f"in {cells.span(fact)}" if fact else "at once"
    if isinstance(fact, list):
        fact = ", ".join(map(str, fact))
    elif name.endswith("_ms"):
        name, fact = name.removesuffix("_ms"), cells.span(fact / 1000)
    elif name.endswith("_bytes"):
        name, fact = name.removesuffix("_bytes"), cells.size(fact)
    return name.replace("_", " "), str(fact)
