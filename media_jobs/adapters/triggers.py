"""Triggers: what has to change together with jobs, originals and derivatives, whoever changes them and how.

The database keeps them: a job's state is copied to the file of an instruction, that counts in the instruction, and
each stored object counts in the ledger of what is stored. Django knows nothing of triggers. On SQLite it changes a
table by making it anew, which loses them and fails on those that name the table; there they go before a migration
and come back after it. A text that is changed here needs a migration that drops the old one.
"""

# ruff: noqa: S608  (all that is put into the texts stands in this module)

from collections.abc import Iterable, Mapping

from django.db import connection, transaction

#: The event, the condition if any, and what is done.
Trigger = tuple[str, str, str]

_JOB, _DETAIL, _INSTRUCTION, _ORIGINAL, _DERIVATIVE, _LEDGER = (
    f"media_jobs_{name}"
    for name in ("job", "instructiondetail", "instruction", "original", "derivative", "storedentry")
)
#: Django's models that they are about; without them there is nothing to install.
MODELS = frozenset({"instructiondetail", "storedentry"})

_STATES = ("queued", "processing", "done", "failed", "cancelled")
_COPIED = {
    "state": "state",
    "code": "code",
    "problem": "detail",
    "started_at": "started_at",
    "finished_at": "finished_at",
}
_DIFFERS = {"postgresql": "IS DISTINCT FROM", "sqlite": "IS NOT"}
_NOW = {"postgresql": "statement_timestamp()", "sqlite": "strftime('%Y-%m-%d %H:%M:%f', 'now')"}


def _copy_job(vendor: str) -> Trigger:
    copied = ", ".join(f"{column} = NEW.{source}" for column, source in _COPIED.items())
    changed = " OR ".join(f"OLD.{source} {_DIFFERS[vendor]} NEW.{source}" for source in _COPIED.values())
    return (
        f"UPDATE OF {', '.join(_COPIED.values())} ON {_JOB}",
        changed,
        f"UPDATE {_DETAIL} SET {copied} WHERE job_id = NEW.id;",
    )


def _counted(vendor: str, *, new: bool, old: bool) -> str:
    def is_in(row: str, state: str) -> str:
        return f"({row}.state = '{state}')::int" if vendor == "postgresql" else f"({row}.state = '{state}')"

    def change(state: str) -> str:
        more = f" + {is_in('NEW', state)}" if new else ""
        less = f" - {is_in('OLD', state)}" if old else ""
        return f"{state} = {state}{more}{less}"

    row = "NEW" if new else "OLD"
    changes = ", ".join(map(change, _STATES))
    return f"UPDATE {_INSTRUCTION} SET {changes}, changed_at = {_NOW[vendor]} WHERE id = {row}.instruction_id;"


def _original(row: str, sign: str) -> str:
    there = f"{row}.state IN ('active', 'deleted') AND {row}.size_bytes > 0"
    return (
        f"INSERT INTO {_LEDGER} (owner, kind, objects_more, bytes_more) "
        f"SELECT {row}.owner, 'original', {sign}1, {sign}{row}.size_bytes WHERE {there};"
    )


def _derivative(row: str, sign: str) -> str:
    kind = f"CASE {row}.state WHEN 'current' THEN 'derivative' ELSE 'replaced' END"
    return (
        f"INSERT INTO {_LEDGER} (owner, kind, objects_more, bytes_more) "
        f"SELECT owner, {kind}, {sign}1, {sign}{row}.size_bytes FROM {_ORIGINAL} "
        f"WHERE id = {row}.original_id AND {row}.state <> 'pending';"
    )


def _triggers(vendor: str) -> dict[str, Trigger]:
    differs = _DIFFERS[vendor]
    moved = f"OLD.state {differs} NEW.state"
    return {
        "media_jobs_copy_job": _copy_job(vendor),
        "media_jobs_count_new": (f"INSERT ON {_DETAIL}", "", _counted(vendor, new=True, old=False)),
        "media_jobs_count_moved": (f"UPDATE OF state ON {_DETAIL}", moved, _counted(vendor, new=True, old=True)),
        "media_jobs_count_gone": (f"DELETE ON {_DETAIL}", "", _counted(vendor, new=False, old=True)),
        "media_jobs_stored_original": (f"INSERT ON {_ORIGINAL}", "", _original("NEW", "+")),
        "media_jobs_changed_original": (
            f"UPDATE OF state, size_bytes, owner ON {_ORIGINAL}",
            f"{moved} OR OLD.size_bytes {differs} NEW.size_bytes OR OLD.owner {differs} NEW.owner",
            _original("OLD", "-") + " " + _original("NEW", "+"),
        ),
        "media_jobs_removed_original": (f"DELETE ON {_ORIGINAL}", "", _original("OLD", "-")),
        "media_jobs_stored_derivative": (f"INSERT ON {_DERIVATIVE}", "", _derivative("NEW", "+")),
        "media_jobs_changed_derivative": (
            f"UPDATE OF state ON {_DERIVATIVE}", moved, _derivative("OLD", "-") + " " + _derivative("NEW", "+"),
        ),
        "media_jobs_removed_derivative": (f"DELETE ON {_DERIVATIVE}", "", _derivative("OLD", "-")),
    }  # fmt: skip


def install() -> None:
    """Make those that are not there. Called after each migration, with the tables there."""
    with transaction.atomic():
        create(missing(_triggers(connection.vendor)))


def remove() -> None:
    """Remove all that are there."""
    drop(_triggers(connection.vendor))


def missing(triggers: Mapping[str, Trigger]) -> dict[str, Trigger]:
    """Return those that the database has not."""
    there = _installed()
    return {name: trigger for name, trigger in triggers.items() if name not in there}


def create(triggers: Mapping[str, Trigger]) -> None:
    """Make these. Needs a transaction."""
    with connection.cursor() as cursor:
        for name, (event, condition, body) in triggers.items():
            when = f" WHEN ({condition})" if condition else ""
            if connection.vendor == "postgresql":
                cursor.execute(
                    f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                    f"$$ BEGIN {body} RETURN NULL; END $$"
                )
                cursor.execute(f"CREATE TRIGGER {name} AFTER {event} FOR EACH ROW{when} EXECUTE FUNCTION {name}()")
            else:
                cursor.execute(f"CREATE TRIGGER {name} AFTER {event} FOR EACH ROW{when} BEGIN {body} END")


def drop(triggers: Iterable[str]) -> None:
    """Remove those that are there."""
    there = _installed()
    with transaction.atomic(), connection.cursor() as cursor:
        for name in triggers:
            if name not in there:
                continue
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP FUNCTION IF EXISTS {name}() CASCADE")
            else:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def _installed() -> set[str]:
    query = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {name for (name,) in cursor.fetchall()}
