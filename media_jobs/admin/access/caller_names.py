"""Callers as a person reads them. Lists and searches keep the ids, under which everything stands in the database."""

from collections.abc import Collection

from django.contrib.auth import get_user_model

NAMES = {"anonymous": "an anonymous caller", "system": "the service itself", "guard": "the guard"}
_STAFF = "staff:"
#: A longer number is no account's: databases have 64 bits for it.
_DIGITS = 19


def names_of(callers: Collection[str]) -> dict[str, str]:
    """Return what to call each caller. Who has no name, or none any more, is called by the id."""
    keys = {caller: caller.removeprefix(_STAFF) for caller in callers if caller.startswith(_STAFF)}
    numbers = {caller: int(pk) for caller, pk in keys.items() if pk.isdecimal() and len(pk) < _DIGITS}
    users = get_user_model().objects.in_bulk(numbers.values()) if numbers else {}
    staff = {caller: users[pk] for caller, pk in numbers.items() if pk in users}
    return {
        caller: staff[caller].get_username() if caller in staff else NAMES.get(caller, caller) for caller in callers
    }
