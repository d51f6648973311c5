"""Objects where the storage is files: who may read or store which, and how a read one is labelled."""

from dataclasses import dataclass
from typing import BinaryIO

from django.utils.http import content_disposition_header

from media_jobs import keys
from media_jobs.adapters.storage import Role, store
from media_jobs.adapters.storage.file_links import BadLinkError, FormGrant, form_grant, grant
from media_jobs.adapters.storage.files import FileStore
from media_jobs.adapters.storage.headers import cache_control, content_disposition
from media_jobs.ports import ObjectWriter


class NotServed(Exception):
    """There is no such file, or the storage is not files."""


class LinkRefused(Exception):
    """The link or form is forged, for another object, or too old."""


@dataclass(frozen=True, slots=True)
class Download:
    """An object to be sent, with the values of its headers.

    file: open for reading; whoever gets it closes it. content_type: empty where the end of the key decides.
    """

    file: BinaryIO
    content_type: str
    disposition: str
    cache_control: str


class FormUpload:
    """What a valid form allows: to store one object of this type and size."""

    def __init__(self, grant: FormGrant, objects: FileStore) -> None:
        self.content_type, self.least_bytes, self.most_bytes = grant.content_type, grant.least_bytes, grant.most_bytes
        self._key, self._objects = grant.key, objects

    def begin(self) -> ObjectWriter:
        """Start writing the object. Raises StorageUnavailable."""
        return self._objects.begin(self._key, content_type=self.content_type)


def open_download(key: str, token: str) -> Download:
    """Open the object: a public one for everybody, a private one for the bearer of a signed link.

    Raises NotServed, LinkRefused.
    """
    if key.startswith(keys.PRIVATE_PREFIXES):
        try:
            granted = grant(token, key)
        except BadLinkError as error:
            raise LinkRefused(str(error)) from error
        saved_as = content_disposition_header(True, granted.filename) or "attachment"
        return Download(_open(key), granted.content_type, saved_as, cache_control(key))
    if keys.is_public(key):
        return Download(_open(key), "", content_disposition(key), cache_control(key))
    raise NotServed


def check_takes_forms() -> None:
    """Raise NotServed where forms go to another storage."""
    _files(Role.WEB)


def open_form(key: str, token: str) -> FormUpload:
    """Return what the form with this `token` may store. Raises NotServed, LinkRefused, StorageFull."""
    objects = _files(Role.WEB)
    try:
        granted = form_grant(token, key)
    except BadLinkError as error:
        raise LinkRefused(str(error)) from error
    objects.check_room()
    return FormUpload(granted, objects)


def _open(key: str) -> BinaryIO:
    try:
        return _files(Role.READ).path(key).open("rb")
    except (ValueError, OSError) as error:
        raise NotServed from error


def _files(role: Role) -> FileStore:
    objects = store(role)
    if not isinstance(objects, FileStore):
        raise NotServed
    return objects
