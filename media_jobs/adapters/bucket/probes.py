"""Objects on which rights in a bucket are tried without harm. They are removed afterwards."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from media_jobs.adapters.bucket.answers import BucketError, may, sentence, status_of
from media_jobs.adapters.bucket.policies import PROBE, Right
from media_jobs.adapters.storage.s3_anonymous import anonymous_pool
from media_jobs.adapters.tls import fault_of
from media_jobs.keys import PREFIXES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: Where objects are tried out: under each prefix of ours, and beside them.
ELSEWHERE = ""
PLACES = (*PREFIXES, ELSEWHERE)
BODY = b"An object of \xe2\x80\x9cmanage.py bucket check\xe2\x80\x9d. It may be deleted.\n"
_HEADERS: Any = {"ContentType": "text/plain; charset=utf-8", "CacheControl": "no-store"}


class Probes:
    """Objects to try rights on. Used within `removed`.

    makers: who makes and removes them; each is tried in turn until one may.
    """

    def __init__(self, bucket: str, makers: Sequence["S3Client"]) -> None:
        self.bucket, self._makers = bucket, makers
        self._token = secrets.token_hex(8)
        self._made: set[str] = set()
        self._uploads: dict[str, str] = {}

    def make(self, place: str) -> None:
        """Make one object and one unfinished upload there, if any maker may."""
        key = self._key(place)
        self._made.add(key)
        if not self._by_any_maker("put_object", Key=key, Body=BODY, **_HEADERS):
            self._made.discard(key)
        for maker in self._makers:
            try:
                self._uploads[place] = maker.create_multipart_upload(Bucket=self.bucket, Key=key)["UploadId"]
                break
            except (ClientError, BotoCoreError):
                continue

    def key(self, place: str) -> str | None:
        """Return the key of the object there; None where nobody could make one."""
        key = self._key(place)
        return key if key in self._made else None

    def may(self, client: "S3Client", right: Right, place: str) -> bool | None:
        """Whether the client has that right on objects there; None where it cannot be tried. Raises BucketError."""
        key, upload = self.key(place), self._uploads.get(place)
        attempt: partial[Any] | None = None
        if right is Right.PUT:
            put = partial(client.put_object, Bucket=self.bucket, Body=BODY, **_HEADERS)
            return self.stores(lambda key: may(put, Key=key), place)
        if right is Right.DELETE:  # of a key without an object: others still need theirs
            attempt = partial(client.delete_object, Key=f"{self._key(place)}-absent")
        elif right is Right.GET and key:
            attempt = partial(client.get_object, Key=key)
        elif right is Right.ABORT and upload:  # once aborted, it is not found by those who may abort it
            attempt = partial(client.abort_multipart_upload, Key=self._key(place), UploadId=upload)
        return None if attempt is None else may(attempt, Bucket=self.bucket)

    def stores(self, store: Callable[[str], bool], place: str) -> bool:
        """Whether `store` stores an object under a key there; that is removed with the others."""
        key = f"{self._key(place)}-{secrets.token_hex(4)}"
        self._made.add(key)
        if not (stored := store(key)):
            self._made.discard(key)
        return stored

    def takes_checksum(self, client: "S3Client", checksum: str) -> bool:
        """Whether the server stores an object sent with this sha256, in base64. The client may put."""

        def store(key: str) -> bool:
            try:
                client.put_object(Bucket=self.bucket, Key=key, Body=BODY, ChecksumSHA256=checksum, **_HEADERS)
            except ClientError as error:
                if status_of(error) >= 500:
                    raise BucketError(sentence(error)) from error
                return False
            return True

        return self.stores(store, "uploads/")

    def remove(self) -> list[str]:
        """Remove everything that was made. Returns the keys that nobody could remove. Never raises."""
        for place, upload in self._uploads.items():
            self._by_any_maker("abort_multipart_upload", Key=self._key(place), UploadId=upload)
        return [key for key in sorted(self._made) if not self._by_any_maker("delete_object", Key=key)]

    def _key(self, place: str) -> str:
        return f"{place}{PROBE}{self._token}"

    def _by_any_maker(self, operation: str, **parameters: object) -> bool:
        for maker in self._makers:
            try:
                if may(getattr(maker, operation), Bucket=self.bucket, **parameters):
                    return True
            except BucketError:
                continue
        return False


class AnonymousClient:
    """Requests without credentials, at some address of the bucket's objects."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._pool = anonymous_pool()

    def may(self, method: str, path: str, body: bytes | None = None) -> bool:
        """Whether such a request succeeds. Raises BucketError where nobody answers."""
        try:
            answer = self._pool.request(method, f"{self._base_url}/{path}", body=body, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            why = fault_of(error) or f"it does not answer ({type(error).__name__})"
            raise BucketError(f"{self._base_url}: {why}.") from error
        return answer.status < 300


@contextmanager
def removed(probes: Probes, left: list[str]) -> Iterator[Probes]:
    """Remove the probes at the end, whatever happens; `left` receives the keys that could not be removed."""
    try:
        yield probes
    finally:
        left += probes.remove()
