"""A CSV file that says whose pictures they are: read once, then asked by key, in the same memory at any length."""

import csv
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from media_jobs.errors import Blame, MediaError
from media_jobs.pipeline.privacy.capture import clean
from media_jobs.pipeline.privacy.rights import source_type, url
from media_jobs.pipeline.values import RIGHTS_NAMES

KEY_COLUMN = "key"
COLUMNS = (KEY_COLUMN, *RIGHTS_NAMES.values())
_FIELDS = {name: field for field, name in RIGHTS_NAMES.items()}
_MOST_CHARACTERS = 500
#: How a value becomes what is kept; nothing, where it is no such thing.
_READ = {"licence": url, "digital_source_type": source_type}
_WANTED = {"licence": "an address, http(s)://…", "digital_source_type": "a term of IPTC's vocabulary or its address"}


class BadRightsFile(MediaError):
    """None of it is used."""

    code = "bad_rights_file"
    blame = Blame.CALLER
    sentence = "The file of rights is not used: {}."


@dataclass(frozen=True, slots=True)
class BadRow:
    """line: where it begins in the file, from 1. key: of its object, as far as it says so."""

    line: int
    key: str
    why: str


@dataclass(frozen=True, slots=True)
class Stated:
    """What the file says of one object. rights: fields of `values.Rights`. bad: why that row cannot be used."""

    rights: Mapping[str, str]
    bad: str = ""


class StatedRights:
    """The rows of a CSV file by key. They lie in a file of their own, `index`, which is there for that."""

    def __init__(self, index: Path) -> None:
        self._rows = sqlite3.connect(index, isolation_level=None)
        self._rows.execute("PRAGMA journal_mode=OFF")
        self._rows.execute("CREATE TABLE row (key TEXT PRIMARY KEY, line INT, rights TEXT, bad TEXT, found INT)")

    def close(self) -> None:
        self._rows.close()

    def read(self, file: Path) -> Iterator[BadRow]:
        """Read the file, and yield its bad rows: those of their objects count as bad, all others stand.

        Raises BadRightsFile where it cannot be read, or its first line does not name its columns; OSError.
        """
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
            rows = csv.reader(lines, strict=True)
            columns = _header(rows)
            self._rows.execute("BEGIN")
            while True:
                line = rows.line_num + 1
                try:
                    row = next(rows)
                except StopIteration:
                    break
                except csv.Error as error:
                    yield BadRow(line, "", f"it is no row of a CSV file ({error})")
                    continue
                if any(map(str.strip, row)) and (bad := self._add(line, columns, row)):
                    yield bad
            self._rows.execute("COMMIT")

    def of(self, keys: Iterable[str]) -> dict[str, Stated]:
        """What the file says of these objects, and note that they are there."""
        wanted = list(keys)
        self._rows.executemany("UPDATE row SET found = 1 WHERE key = ?", [[key] for key in wanted])
        found = self._rows.execute(
            "SELECT key, rights, bad FROM row WHERE key IN (SELECT value FROM json_each(?))", [json.dumps(wanted)]
        )
        return {key: Stated(json.loads(rights), bad) for key, rights, bad in found}

    def not_found(self, at_most: int) -> tuple[int, list[tuple[int, str]]]:
        """How many rows name no object that was asked for, and line and key of the first."""
        with closing(self._rows.execute("SELECT count(*) FROM row WHERE found = 0")) as counted:
            [count] = counted.fetchone()
        first = self._rows.execute("SELECT line, key FROM row WHERE found = 0 ORDER BY line LIMIT ?", [at_most])
        return count, list(first)

    def _add(self, line: int, columns: Sequence[str], row: Sequence[str]) -> BadRow | None:
        values = dict(zip(columns, map(str.strip, row), strict=False))
        key, why = values.pop(KEY_COLUMN, ""), ""
        rights: dict[str, str] = {}
        try:
            "".join(row).encode()
        except UnicodeEncodeError:
            return BadRow(line, "", "it is not UTF-8")
        if len(row) != len(columns):
            why = f"it has {len(row)} values, and the first line names {len(columns)} columns"
        elif not key:
            return BadRow(line, "", f"its {KEY_COLUMN} is empty")
        else:
            rights, why = _rights(values)
        known = [key, line, json.dumps(rights), why]
        if self._rows.execute("INSERT OR IGNORE INTO row VALUES (?, ?, ?, ?, 0)", known).rowcount == 0:
            [first] = self._rows.execute("SELECT line FROM row WHERE key = ?", [key]).fetchone()
            return BadRow(line, key, f"line {first} has the same {KEY_COLUMN}; that one counts")
        return BadRow(line, key, why) if why else None


def _header(rows: Iterator[list[str]]) -> list[str]:
    try:
        columns = [name.strip() for name in next(rows, [])]
    except csv.Error as error:
        raise BadRightsFile(f"its first line cannot be read ({error})") from error
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown or KEY_COLUMN not in columns or len(set(columns)) < len(columns):
        shown = ascii(", ".join(columns)[:200])
        raise BadRightsFile(f"its first line must name its columns, each once: {', '.join(COLUMNS)}; it is {shown}")
    return columns


def _rights(values: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """The rights, by fields, and why they cannot be used. A value that is empty lets the picture's file decide."""
    rights = {}
    for name, text in values.items():
        if not text:
            continue
        field = _FIELDS[name]
        if len(text) > _MOST_CHARACTERS:
            return {}, f"{name} has {len(text)} characters, and at most {_MOST_CHARACTERS} are kept"
        rights[field] = _READ.get(field, clean)(text)
        if not rights[field]:
            return {}, f"{name} takes {_WANTED.get(field, 'a text that can be seen')}"
    return rights, ""
