"""Whether a flag is on for a key: one query, and the same answer for the same key, whoever computes it."""

from dataclasses import dataclass
from enum import StrEnum

import mmh3

from media_jobs.errors import UnknownFlag
from media_jobs.models import FeatureFlag
from media_jobs.models.cutover.flag import EVERYBODY

#: Of a key, in characters.
LONGEST_KEY = 200


class Why(StrEnum):
    """What decided, the first of these that applies."""

    DISABLED = "disabled"  #: the flag is not enabled
    DENIED = "denied"  #: the key is on the deny list
    ALLOWED = "allowed"  #: the key is on the allow list
    ALL_ALIKE = "all alike"  #: the percentage is 0 or 100, or there is no key to tell one from another
    SHARE = "share"  #: the key's bucket is below the percentage, or is not


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of a flag for one key."""

    flag: FeatureFlag
    enabled: bool
    why: Why


def find(name: str) -> FeatureFlag:
    """Raises UnknownFlag."""
    flag = None if "\0" in name else FeatureFlag.objects.filter(pk=name).first()
    if flag is None:
        raise UnknownFlag(name=name[: FeatureFlag._meta.pk.max_length])
    return flag


def is_key(text: str) -> bool:
    """Whether a flag can be asked about it: it is not too long, and not halves of characters, which no encoding has."""
    return len(text) <= LONGEST_KEY and not any(0xD800 <= ord(letter) <= 0xDFFF for letter in text)


def answer(flag: FeatureFlag, key: str) -> Answer:
    """Say whether the flag is on for a key. Without one (an empty text) it is on only where it is on for everybody."""
    return Answer(flag, *_decide(flag, key))


def bucket(flag: str, key: str) -> int:
    """Return where a key stands among those of a flag, from 0 to 9,999; the flag is on for those below its percentage.

    Murmur3 (x86, 32 bits, seed 0) of `flag:key` in UTF-8, unsigned, modulo 10,000. `docs/flags.md` publishes values;
    others compute the same, and so it never changes.
    """
    return mmh3.hash(f"{flag}:{key}".encode(), seed=0, signed=False) % EVERYBODY


def _decide(flag: FeatureFlag, key: str) -> tuple[bool, Why]:
    if not flag.enabled:
        return False, Why.DISABLED
    if key and key in flag.deny:
        return False, Why.DENIED
    if key and key in flag.allow:
        return True, Why.ALLOWED
    if not key or flag.basis_points in (0, EVERYBODY):
        return flag.basis_points == EVERYBODY, Why.ALL_ALIKE
    return bucket(flag.name, key) < flag.basis_points, Why.SHARE
