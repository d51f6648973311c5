"""A second factor beside the password: codes of an authenticator app (TOTP), and recovery codes on paper."""

from base64 import b32encode

from django.contrib.auth.models import AbstractBaseUser, User
from django.db import transaction
from django_otp import verify_token
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from media_jobs.callers import Caller
from media_jobs.errors import BadRequest, WrongState
from media_jobs.services import changes

RECOVERY_CODES = 10
_NAME = "Authenticator app"


def in_use() -> bool:
    """Return whether anybody of this service has one."""
    return bool(TOTPDevice.objects.filter(confirmed=True).exists())


def is_needed(person: AbstractBaseUser) -> bool:
    """Return whether this account takes a code beside its password."""
    return bool(TOTPDevice.objects.filter(user_id=person.pk, confirmed=True).exists())


def accepts(person: AbstractBaseUser, code: str) -> bool:
    """Return whether `code` is of the app just now, or a recovery code that is then used up.

    Each is good once. After a wrong one the next is looked at a second later, then two, then four.
    """
    code = code.replace(" ", "").lower()
    kind = TOTPDevice if code.isdecimal() else StaticDevice
    device = kind.objects.filter(user=person, confirmed=True).first()
    return device is not None and verify_token(person, device.persistent_id, code) is not None


def begin(person: User) -> TOTPDevice:
    """Return what the app has to learn; it counts when it was confirmed. Asked again, it is the same.

    Raises WrongState where there is one already.
    """
    if is_needed(person):
        raise WrongState("There is a second factor already. Remove it first.")
    device, _ = TOTPDevice.objects.get_or_create(user=person, confirmed=False, defaults={"name": _NAME})
    return device


def secret_of(device: TOTPDevice) -> str:
    """Return its secret as one types it into an app, in groups of four."""
    text = b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def confirm(person: User, code: str, *, actor: Caller) -> list[str]:
    """Have the second factor count from now on; return the recovery codes, which nobody can be shown again.

    Raises WrongState, and BadRequest for a code that the app does not show.
    """
    device = begin(person)
    if verify_token(person, device.persistent_id, code.replace(" ", "")) is None:
        raise BadRequest("This is not the code that the app shows now. Is the clock of your phone right?")
    with transaction.atomic():
        TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
        StaticDevice.objects.filter(user=person).delete()
        recovery = StaticDevice.objects.create(user=person, name="Recovery codes")
        codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
        StaticToken.objects.bulk_create(StaticToken(device=recovery, token=code) for code in codes)
        changes.record(person, "set up a second factor of", actor=actor)
    return codes


def remove(person: User, *, actor: Caller) -> None:
    """Have the password be enough again. Raises WrongState where there is none."""
    with transaction.atomic():
        there, _ = TOTPDevice.objects.filter(user=person, confirmed=True).delete()
        if not there:
            raise WrongState("There is no second factor.")
        StaticDevice.objects.filter(user=person).delete()
        changes.record(person, "removed the second factor of", actor=actor)


def recovery_codes_left(person: User) -> int:
    """Return how many of them are not used up."""
    return int(StaticToken.objects.filter(device__user=person).count())
