"""Making a person: an account, the group that says what it may do, and a link by which its owner sets a password."""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from media_jobs.callers import Caller
from media_jobs.services import changes


def create(name: str, *, email: str, group: Group, by: Caller) -> User:
    """Make an account of staff in `group`. Nobody can sign in with it before a password is set by its link."""
    with transaction.atomic():
        person: User = get_user_model().objects.create_user(name, email=email, is_staff=True)
        person.groups.add(group)
        changes.record(person, "made", actor=by, after={"e-mail": email, "group": group.name})
    return person


def sign_in_parts(person: User) -> tuple[str, str]:
    """Return the two parts of the address at which `person` sets a password: its id, and a token.

    The token is of no use once a password was set, after a sign-in, or after PASSWORD_RESET_TIMEOUT seconds.
    """
    return urlsafe_base64_encode(force_bytes(person.pk)), default_token_generator.make_token(person)
