"""Sets up and checks the bucket of this service, and makes its policies, with the credentials in the settings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from media_jobs.adapters.bucket import policies
from media_jobs.adapters.bucket.answers import BucketError
from media_jobs.adapters.bucket.check import Check, Principal
from media_jobs.adapters.bucket.findings import Finding, Verdict
from media_jobs.adapters.bucket.legacy import check_reading
from media_jobs.adapters.bucket.policies import Policy, Right
from media_jobs.adapters.bucket.setup import Item, Plan, Setup, State
from media_jobs.adapters.storage.s3_connection import bucket_storage, bucket_url

__all__ = ["BucketError", "Document", "Finding", "Item", "State", "Verdict", "check", "documents", "run_as", "setup"]

_ONE_FOR_ALL = "one set for all: the web process may delete and list. Give WORKER_AWS_* and S3_READ_* their own"


@dataclass(frozen=True, slots=True)
class Document:
    """A policy, and what it is for."""

    name: str
    title: str
    content: Policy


def documents() -> list[Document]:
    """Return every policy around the bucket. Raises BucketError without S3_BUCKET."""
    plan = _plan(public=True)
    where = (plan.bucket, plan.region)
    legacy = settings.LEGACY_PREFIX_IN_BUCKET
    worker = policies.worker(*where, inbox=settings.NATS_INBOX_PREFIX, legacy=legacy)
    ours = [policies.public_read(*where), *([policies.tls_only(*where)] if plan.aws else [])]
    return [
        Document("web", "IAM: the web process (AWS_*), which stores and never reads", policies.web(*where)),
        Document("read", "IAM: links to originals (S3_READ_*)", policies.read(*where, legacy=legacy)),
        Document("worker", "IAM: the workers (WORKER_AWS_*)", worker),
        Document("admin", "IAM: whoever runs “manage.py bucket” (ADMIN_AWS_*)", policies.admin(*where)),
        Document("bucket", "bucket policy: derivatives for everybody (setup --public)", policies.policy(*ours)),
        Document(
            "cdn",
            "bucket policy: derivatives for CloudFront alone; fill in ACCOUNT_ID and DISTRIBUTION_ID",
            policies.policy(policies.cdn_read(*where), *ours[1:]),
        ),
        *_legacy_documents(),
    ]


def _legacy_documents() -> list[Document]:
    if not settings.LEGACY_S3_BUCKET:
        return []
    content = policies.legacy(settings.LEGACY_S3_BUCKET, settings.LEGACY_S3_REGION, prefix=settings.LEGACY_PREFIX)
    whose = "LEGACY_AWS_*" if settings.LEGACY_S3_CREDENTIALS[0] else "WORKER_AWS_* and S3_READ_*, beside their own"
    return [Document("legacy", f"IAM: the pictures of the site that is moved over ({whose})", content)]


def setup(*, public: bool, dry_run: bool) -> Iterator[Item]:
    """Make what is missing, and yield each item once it is done. Raises BucketError."""
    plan = _plan(public=public)
    yield from Setup(_client(_admin()), plan, dry_run=dry_run).run()


def check() -> Iterator[Finding]:
    """Try every right of every set of credentials, and of everybody without any. Raises BucketError."""
    plan = _plan(public=True)
    principals, findings = _principals()
    yield from findings
    yield from Check(
        plan,
        principals,
        _client(_admin()),
        bucket_url(plan.bucket, region=plan.region, endpoint_url=settings.S3_ENDPOINT_URL),
        settings.CDN_BASE_URL,
    ).run()
    yield from _check_legacy()


def _check_legacy() -> Iterator[Finding]:
    """Whether those who compare may read what the site has in this bucket or another; nothing where it has none."""
    if not settings.LEGACY_S3_BUCKET and not settings.LEGACY_PREFIX_IN_BUCKET:
        return
    own, worker = settings.LEGACY_S3_CREDENTIALS, settings.S3_WORKER_CREDENTIALS
    sets = {"worker": worker if worker[0] else settings.S3_WEB_CREDENTIALS, "read": settings.S3_READ_CREDENTIALS}
    where = (settings.S3_BUCKET, settings.S3_REGION, settings.S3_ENDPOINT_URL)
    if settings.LEGACY_S3_BUCKET:
        where = (settings.LEGACY_S3_BUCKET, settings.LEGACY_S3_REGION, settings.LEGACY_S3_ENDPOINT_URL)
        sets = {"legacy": own} if own[0] else sets
    readers = [(name, _client(credentials, *where)) for name, credentials in sets.items() if credentials[0]]
    if readers:
        yield from check_reading(readers, where[0], settings.LEGACY_PREFIX)


def run_as() -> str:
    """Say whose credentials are used."""
    admin: tuple[str, ...] = settings.S3_ADMIN_CREDENTIALS
    return "the credentials ADMIN_AWS_*" if admin[0] else "the workers' credentials, as ADMIN_AWS_* is not set"


def _plan(*, public: bool) -> Plan:
    if not settings.S3_BUCKET:
        raise BucketError("S3_BUCKET is not set: pictures are files in the data directory, and there is no bucket.")
    return Plan(
        settings.S3_BUCKET,
        settings.S3_REGION,
        public=public,
        origins=settings.UPLOAD_ORIGINS,
        aws=settings.S3_ENDPOINT_URL is None,
    )


def _principals() -> tuple[list[Principal], list[Finding]]:
    """Return the sets of credentials, each with the needs of all roles that it serves, and findings about them."""
    web = settings.S3_WEB_CREDENTIALS
    worker = settings.S3_WORKER_CREDENTIALS if settings.S3_WORKER_CREDENTIALS[0] else web
    read = settings.S3_READ_CREDENTIALS if settings.S3_READ_CREDENTIALS[0] else worker if worker == web else None
    roles: list[tuple[str, Any, Mapping[Right, Sequence[str]], Sequence[Right]]] = [
        ("web", web, policies.WEB, ()),
        ("read", read, policies.READ, ()),
        ("worker", worker, policies.WORKER, policies.WORKER_ON_BUCKET),
    ]
    principals, findings = [], []
    for credentials in dict.fromkeys(given for _, given, _, _ in roles if given and given[0]):
        names = ", ".join(name for name, given, _, _ in roles if given == credentials)
        needs = _union(needs for _, given, needs, _ in roles if given == credentials)
        on_bucket = [right for _, given, _, rights in roles if given == credentials for right in rights]
        principals.append(Principal(names, _client(credentials), needs, on_bucket))
        if credentials == web == worker:
            findings.append(Finding("sets", names, Verdict.HINT, _ONE_FOR_ALL))
    if not web[0]:
        findings.append(Finding("sets", "web", Verdict.MISSING, "AWS_ACCESS_KEY_ID is not set"))
    if read is None:
        note = "S3_READ_* is not set: links to originals are answered with 503 reads_not_configured"
        findings.append(Finding("sets", "read", Verdict.HINT, note))
    return principals, findings


def _union(needs: Iterator[Mapping[Right, Sequence[str]]]) -> dict[Right, Sequence[str]]:
    found: dict[Right, Sequence[str]] = {}
    for some in needs:
        for right, prefixes in some.items():
            found[right] = tuple(dict.fromkeys((*found.get(right, ()), *prefixes)))
    return found


def _admin() -> tuple[str, ...]:
    for credentials in (settings.S3_ADMIN_CREDENTIALS, settings.S3_WORKER_CREDENTIALS, settings.S3_WEB_CREDENTIALS):
        if credentials[0]:
            return tuple(credentials)
    raise BucketError("There are no S3 credentials. Set ADMIN_AWS_ACCESS_KEY_ID and ADMIN_AWS_SECRET_ACCESS_KEY.")


def _client(credentials: tuple[str, ...], bucket: str = "", region: str = "", endpoint_url: str | None = None) -> Any:
    """Return a client for that bucket, by default for the one of this service."""
    if not bucket:
        bucket, region, endpoint_url = settings.S3_BUCKET, settings.S3_REGION, settings.S3_ENDPOINT_URL
    storage = bucket_storage(
        bucket, credentials, region=region, endpoint_url=endpoint_url, ca_bundle=settings.S3_CA_BUNDLE
    )
    return storage.bucket.meta.client
