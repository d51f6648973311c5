"""Finds out by trying whether all credentials may do in the bucket what they need, and nothing else."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from media_jobs.adapters.bucket.answers import BucketError, CredentialsError, is_answered, may
from media_jobs.adapters.bucket.findings import Finding, Verdict, judge, named
from media_jobs.adapters.bucket.policies import Right
from media_jobs.adapters.bucket.probes import BODY, ELSEWHERE, PLACES, AnonymousClient, Probes, removed
from media_jobs.adapters.bucket.setup import POLICY, Item, Plan, Setup, State
from media_jobs.keys import PRIVATE_PREFIXES, PUBLIC_PREFIXES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_AT_ONCE = 8  # requests
_ON_OBJECTS = (Right.PUT, Right.GET, Right.DELETE, Right.ABORT)
#: What only an administrator needs; each is found out by reading, which harms nothing.
_ADMINISTRATION = {
    "GetBucketPolicy": "get_bucket_policy",
    "GetLifecycleConfiguration": "get_bucket_lifecycle_configuration",
    "GetBucketCors": "get_bucket_cors",
}


@dataclass(frozen=True, slots=True)
class Principal:
    """A set of credentials, and what all the roles that it serves need together."""

    name: str
    client: "S3Client"
    needs: Mapping[Right, Sequence[str]]
    on_bucket: Sequence[Right] = ()


@dataclass
class Check:
    """One check of a bucket.

    admin: reads its settings, and makes the objects to try on; the principals make them where it may not.
    bucket_url, cdn_url: where everybody finds objects; empty without a CDN.
    """

    plan: Plan
    principals: Sequence[Principal]
    admin: "S3Client"
    bucket_url: str
    cdn_url: str = ""
    _public_places: set[str] = field(default_factory=set)  # places from which everybody reads

    def run(self) -> Iterator[Finding]:
        """Yield findings as they come. Nothing is left behind that could be removed. Raises BucketError."""
        accepted = []
        for principal in self.principals:
            try:
                may(principal.client.list_objects_v2, Bucket=self.plan.bucket, MaxKeys=1)
            except CredentialsError as error:
                yield Finding(principal.name, "credentials", Verdict.MISSING, str(error))
            else:
                accepted.append(principal)
        left: list[str] = []
        probes = Probes(self.plan.bucket, [self.admin, *(principal.client for principal in accepted)])
        with removed(probes, left), ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(probes.make, PLACES))
            yield from self._world(probes)
            for principal in accepted:
                yield from self._principal(principal, probes, threads)
            yield from self._checksums(accepted, probes)
        yield from self._settings()
        if left:
            yield Finding("bucket", "left behind", Verdict.UNKNOWN, f"nobody may delete {', '.join(left)}")

    # --- credentials ------------------------------------------------------------------------------

    def _principal(self, principal: Principal, probes: Probes, threads: ThreadPoolExecutor) -> Iterator[Finding]:
        refused: list[str] = []
        for right in _ON_OBJECTS:
            found = dict(zip(PLACES, threads.map(partial(probes.may, principal.client, right), PLACES), strict=True))
            if right is Right.GET:
                found = {place: answer for place, answer in found.items() if place not in self._public_places}
            needed = principal.needs.get(right, ())
            yield from judge(principal.name, right, needed, found)
            if not needed and not any(found.values()):
                refused.append(right)
        for name, call in self._on_bucket(principal.client).items():
            wanted, allowed = name in principal.on_bucket, call()
            if allowed or wanted:
                verdict = Verdict.MISSING if not allowed else Verdict.THERE if wanted else Verdict.EXCESS
                yield Finding(principal.name, name, verdict, "on the bucket")
            else:
                refused.append(name)
        if refused:
            yield Finding(principal.name, "nothing else", Verdict.THERE, f"refused: {', '.join(refused)}")

    def _on_bucket(self, client: "S3Client") -> dict[str, Callable[[], bool]]:
        calls: dict[str, Callable[..., Any]] = {
            Right.LIST: client.list_objects_v2,
            Right.LIST_UPLOADS: client.list_multipart_uploads,
        }
        found: dict[str, Callable[[], bool]] = {
            name: partial(may, call, Bucket=self.plan.bucket) for name, call in calls.items()
        }
        for name, operation in _ADMINISTRATION.items():
            found[name] = partial(self._may_read, client, operation)
        return found

    def _may_read(self, client: "S3Client", operation: str) -> bool:
        """Whether that part of the bucket's settings is told; not where something else is answered."""
        told: list[bool] = []

        def ask(**parameters: Any) -> None:
            told.append(is_answered(operation, getattr(client, operation)(**parameters)))

        return may(ask, Bucket=self.plan.bucket) and all(told)

    # --- everybody --------------------------------------------------------------------------------

    def _world(self, probes: Probes) -> Iterator[Finding]:
        anonymous = AnonymousClient(self.bucket_url)
        made = {place: key for place in PLACES if (key := probes.key(place))}
        if not made:
            yield Finding("world", "reads", Verdict.UNKNOWN, "no credentials may make an object to try it on")
            return
        self._public_places |= {place for place, key in made.items() if anonymous.may("GET", key)}
        yield from self._derivatives(made)
        yield from self._private(made)
        tries = {
            "list": anonymous.may("GET", "?list-type=2&max-keys=1"),
            "store": any(probes.stores(partial(anonymous.may, "PUT", body=BODY), place) for place in made),
            "delete": any(anonymous.may("DELETE", f"{key}-absent") for key in made.values()),
        }
        excess = [what for what, done in tries.items() if done]
        if excess:
            yield Finding("world", "writes and lists", Verdict.EXCESS, f"everybody may {', '.join(excess)}")
        else:
            yield Finding("world", "nothing else", Verdict.THERE, "refused: store, delete, list")

    def _derivatives(self, made: Mapping[str, str]) -> Iterator[Finding]:
        public = [place for place in PUBLIC_PREFIXES if place in made]
        hidden = [place for place in public if place not in self._public_places]
        where = "from the bucket"
        if hidden and self.cdn_url:
            where = f"from {self.cdn_url}" + (", not from the bucket" if hidden == public else "")
            try:
                hidden = [place for place in hidden if not AnonymousClient(self.cdn_url).may("GET", made[place])]
            except BucketError as error:
                yield Finding("world", "derivatives", Verdict.UNKNOWN, str(error))
                return
        if hidden:
            advice = "look at the CDN's origin" if self.cdn_url else "“bucket setup --public”, or a CDN (CDN_BASE_URL)"
            yield Finding("world", "derivatives", Verdict.MISSING, f"not readable: {named(hidden)}; {advice}")
        else:
            yield Finding("world", "derivatives", Verdict.THERE, f"readable {where}")

    def _private(self, made: Mapping[str, str]) -> Iterator[Finding]:
        private = [place for place in (*PRIVATE_PREFIXES, ELSEWHERE) if place in made]
        open_ = [place for place in private if place in self._public_places]
        if open_:
            yield Finding("world", "originals", Verdict.EXCESS, f"everybody reads {named(open_)} from the bucket")
        through: list[str] = []
        if self.cdn_url:
            try:
                through = [place for place in private if AnonymousClient(self.cdn_url).may("GET", made[place])]
            except BucketError as error:
                yield Finding("world", "originals", Verdict.UNKNOWN, str(error))
                return
        if through:
            yield Finding("world", "originals", Verdict.EXCESS, f"everybody reads {named(through)} from the CDN")
        if not open_ and not through:
            yield Finding("world", "originals", Verdict.THERE, "not readable")

    # --- the bucket -------------------------------------------------------------------------------

    def _checksums(self, principals: Sequence[Principal], probes: Probes) -> Iterator[Finding]:
        for client in (self.admin, *(principal.client for principal in principals)):
            if not probes.may(client, Right.PUT, "uploads/"):
                continue
            digest = hashlib.sha256(BODY).digest()
            if not probes.takes_checksum(client, b64encode(digest).decode()):
                yield Finding("bucket", "checksums", Verdict.MISSING, "the server refuses x-amz-checksum-sha256")
            elif probes.takes_checksum(client, b64encode(bytes(32)).decode()):
                yield Finding("bucket", "checksums", Verdict.HINT, "the server stores what was damaged on its way, too")
            else:
                yield Finding("bucket", "checksums", Verdict.THERE, "what was damaged on its way is refused")
            return

    def _settings(self) -> Iterator[Finding]:
        """Yield what `setup` would do now, as findings."""
        public = not self._public_places.isdisjoint(PUBLIC_PREFIXES)
        plan = Plan(self.plan.bucket, self.plan.region, public=public, origins=self.plan.origins, aws=self.plan.aws)
        try:
            for item in Setup(self.admin, plan, dry_run=True).run():
                yield _setting(item)
        except BucketError as error:
            yield Finding("bucket", "settings", Verdict.HINT, str(error))
        yield from self._versions()

    def _versions(self) -> Iterator[Finding]:
        try:
            status = self.admin.get_bucket_versioning(Bucket=self.plan.bucket).get("Status")
        except ClientError:
            return
        if status == "Enabled":
            note = "on: what is deleted stays, and is paid for, until a lifecycle rule ends old versions"
            yield Finding("bucket", "versions", Verdict.HINT, note)


def _setting(item: Item) -> Finding:
    if item.state is State.THERE:
        return Finding("bucket", item.name, Verdict.THERE, item.note)
    if item.state is not State.WANTED:
        return Finding("bucket", item.name, Verdict.HINT, item.note)
    if item.name == POLICY:
        return Finding("bucket", item.name, Verdict.HINT, "not the one of “bucket setup”; its effect is reported above")
    return Finding("bucket", item.name, Verdict.MISSING, "“bucket setup” makes it")
