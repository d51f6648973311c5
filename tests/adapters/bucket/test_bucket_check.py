"""`bucket check` finds each right that is missing and each that is too much, and leaves nothing behind."""

import json
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from media_jobs.adapters.bucket import policies
from media_jobs.adapters.bucket.answers import BucketError
from media_jobs.adapters.bucket.check import Check, Principal
from media_jobs.adapters.bucket.findings import Finding, Verdict
from media_jobs.adapters.bucket.policies import Policy, Right, policy
from media_jobs.adapters.bucket.setup import Plan, Setup
from media_jobs.keys import PREFIXES, PUBLIC_PREFIXES
from tests.servers.seaweed import Credentials, SeaweedFS, another_bucket, make_bucket, s3_client, seaweedfs

pytestmark = pytest.mark.slow  # `make test-all` runs them

OPEN = "gallimg-open"
NEEDS: dict[str, tuple[Any, Any]] = {
    "web": (policies.WEB, ()),
    "read": (policies.READ, ()),
    "worker": (policies.WORKER, policies.WORKER_ON_BUCKET),
}
RIGHTS = [(role, right) for role, (on_objects, on_bucket) in NEEDS.items() for right in (*on_objects, *on_bucket)]


def without(role: str, right: Right) -> Policy:
    """Return the policy that is printed for the role, less one right."""
    statements = getattr(policies, role)("gallimg*")["Statement"]
    if right is Right.ABORT:  # SeaweedFS takes leave to put for leave to abort, too, unless that is denied
        return policy(*statements, {"Effect": "Deny", "Action": [f"s3:{right}"], "Resource": ["arn:aws:s3:::*"]})
    lessened = [
        {**found, "Action": [name for name in found["Action"] if name != f"s3:{right}"]} for found in statements
    ]
    return policy(*(found for found in lessened if found["Action"]))


def without_thumbnails() -> Policy:
    statements = policies.worker("gallimg*")["Statement"]
    places = [place for place in statements[0]["Resource"] if "/thumb/" not in place]
    return policy({**statements[0], "Resource": places}, statements[1])


USERS = {
    **{f"{role}-without-{right}": without(role, right) for role, right in RIGHTS},
    "worker-without-thumbnails": without_thumbnails(),
    "everything": policy({"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}),
    # What SeaweedFS lets everybody do, whose bucket policies open nothing but reading.
    "anonymous": policy({"Effect": "Allow", "Action": ["s3:*"], "Resource": [f"arn:aws:s3:::{OPEN}*"]}),
    "nothing": policy({"Effect": "Deny", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}),
}


@pytest.fixture(scope="module")
def running() -> Iterator[SeaweedFS]:
    with seaweedfs(users=USERS) as found:
        yield found


@pytest.fixture
def server(running: SeaweedFS) -> SeaweedFS:
    """A server with a bucket of this test's own."""
    return another_bucket(running)


class Looking:
    """Checks of one bucket with whatever credentials a test gives to a role."""

    def __init__(self, server: SeaweedFS, clients: ExitStack) -> None:
        self.server, self._clients = server, clients

    def client(self, credentials: Credentials) -> Any:
        return self._clients.enter_context(closing(s3_client(self.server.endpoint_url, credentials)))

    def check(self, cdn_url: str = "", admin: Credentials | None = None, **instead: Credentials) -> Check:
        """Return a check of all roles, or of those that are given other credentials."""
        principals = [
            Principal(role, self.client(instead.get(role, getattr(self.server, role))), on_objects, on_bucket)
            for role, (on_objects, on_bucket) in NEEDS.items()
            if role in (instead or NEEDS)
        ]
        plan = Plan(self.server.bucket, "us-east-1", public=True, aws=False)
        base_url = f"{self.server.endpoint_url}/{self.server.bucket}"
        return Check(plan, principals, self.client(admin or self.server.admin), base_url, cdn_url)

    def bad(self, **how: Any) -> list[Finding]:
        """Return what is not as it should be, after asserting that nothing was left behind."""
        found = [finding for finding in self.check(**how).run() if not finding.is_good]
        self.assert_nothing_left()
        return found

    def assert_nothing_left(self) -> None:
        worker = self.client(self.server.worker)
        assert "Contents" not in worker.list_objects_v2(Bucket=self.server.bucket)
        assert "Uploads" not in worker.list_multipart_uploads(Bucket=self.server.bucket)


@pytest.fixture
def looking(server: SeaweedFS) -> Iterator[Looking]:
    with ExitStack() as clients:
        yield Looking(server, clients)


def in_short(findings: list[Finding]) -> list[tuple[str, str, Verdict]]:
    return [(finding.who, finding.what, finding.verdict) for finding in findings]


def test_the_printed_policies_are_all_that_is_needed(looking: Looking):
    findings = list(looking.check().run())
    assert [finding for finding in findings if not finding.is_good] == []
    there = {(finding.who, finding.what) for finding in findings if finding.verdict is Verdict.THERE}
    assert there >= {(role, str(right)) for role, right in RIGHTS}
    assert there >= {("world", "derivatives"), ("world", "originals"), ("bucket", "checksums")}
    looking.assert_nothing_left()


@pytest.mark.parametrize(("role", "right"), RIGHTS)
def test_each_missing_right_is_named_and_no_other(looking: Looking, role: str, right: Right):
    findings = looking.bad(**{role: looking.server.users[f"{role}-without-{right}"]})
    assert in_short(findings) == [(role, right, Verdict.MISSING)]


def test_a_prefix_that_was_forgotten_is_named(looking: Looking):
    findings = looking.bad(worker=looking.server.users["worker-without-thumbnails"])
    assert in_short(findings) == [
        ("worker", right, Verdict.MISSING) for right in (Right.PUT, Right.DELETE, Right.ABORT)
    ]
    assert {finding.note for finding in findings} == {"thumb/"}


def test_rights_that_the_web_process_does_not_need_are_named_every_one(looking: Looking):
    findings = looking.bad(web=looking.server.users["everything"])
    assert {finding.verdict for finding in findings} == {Verdict.EXCESS}
    named = {finding.what: finding.note for finding in findings}
    assert named.keys() == {*Right, "GetBucketPolicy", "GetLifecycleConfiguration", "GetBucketCors"}
    assert named[Right.GET] == "originals/ uploads/ elsewhere"  # the rest is public
    assert named[Right.DELETE] == "everywhere"
    assert named[Right.PUT] == "full/ medium/ small/ thumb/ derived/ elsewhere"


def test_what_nobody_may_try_is_not_said_to_be_there(looking: Looking):
    nothing = looking.server.users["nothing"]
    findings = looking.bad(admin=nothing, web=nothing, read=looking.server.read, worker=nothing)
    assert ("read", Right.GET, Verdict.UNKNOWN) in in_short(findings)
    assert ("world", "reads", Verdict.UNKNOWN) in in_short(findings)


def test_credentials_that_are_refused_are_reported_once(looking: Looking):
    findings = looking.bad(web=(looking.server.web[0], "wrong"))
    assert in_short(findings) == [("web", "credentials", Verdict.MISSING)]
    assert "secret" in findings[0].note


class TestTheWorld:
    def opened(self, looking: Looking, actions: list[str], places: tuple[str, ...]) -> None:
        bucket = looking.server.bucket
        resources = [f"arn:aws:s3:::{bucket}/{place}*" for place in places] + [f"arn:aws:s3:::{bucket}"]
        content = policy({"Effect": "Allow", "Principal": "*", "Action": actions, "Resource": resources})
        looking.client(looking.server.admin).put_bucket_policy(Bucket=bucket, Policy=json.dumps(content))

    def test_that_reads_originals_is_noticed(self, looking: Looking):
        self.opened(looking, ["s3:GetObject"], (*PUBLIC_PREFIXES, "originals/"))
        findings = looking.bad()
        assert in_short(findings) == [("world", "originals", Verdict.EXCESS)]
        assert "originals/" in findings[0].note

    def test_that_stores_deletes_or_lists_is_noticed(self, looking: Looking):
        looking.server = replace(looking.server, bucket=OPEN)
        make_bucket(looking.server)
        findings = [finding for finding in looking.bad() if finding.who == "world"]
        assert in_short(findings) == [
            ("world", "originals", Verdict.EXCESS),
            ("world", "writes and lists", Verdict.EXCESS),
        ]
        assert findings[1].note == "everybody may list, store, delete"

    def test_that_lacks_a_size_is_noticed(self, looking: Looking):
        self.opened(looking, ["s3:GetObject"], PUBLIC_PREFIXES[:-1])
        findings = looking.bad()
        assert in_short(findings) == [("world", "derivatives", Verdict.MISSING)]
        assert "not readable: derived/" in findings[0].note

    @pytest.mark.parametrize(
        ("passes", "expected"),
        [
            (PUBLIC_PREFIXES, []),
            (PREFIXES, [("world", "originals", Verdict.EXCESS)]),
            ((), [("world", "derivatives", Verdict.MISSING)]),
        ],
    )
    def test_may_read_through_a_cdn_and_then_derivatives_only(
        self, looking: Looking, passes: tuple[str, ...], expected: list[Any]
    ):
        self.opened(looking, ["s3:ListBucketVersions"], ())
        with ExitStack() as stack:
            cdn_url = stack.enter_context(cdn(looking, passes))
            assert in_short(looking.bad(cdn_url=cdn_url)) == expected


class cdn:  # noqa: N801  (it is used as a function)
    """A CDN before the bucket, with an origin policy that lets these prefixes pass."""

    def __init__(self, looking: Looking, passes: tuple[str, ...]) -> None:
        worker, bucket = looking.client(looking.server.worker), looking.server.bucket

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                key = self.path.removeprefix("/")
                body = worker.get_object(Bucket=bucket, Key=key)["Body"].read() if key.startswith(passes) else b""
                self.send_response(200 if body else 403)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_settings_that_are_missing_are_named(looking: Looking):
    admin, bucket = looking.client(looking.server.admin), looking.server.bucket
    admin.put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={
            "Rules": [{"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 1}}]
        },
    )
    expected = [("bucket", name, Verdict.MISSING) for name in ("unfinished uploads", "forgotten uploads")]
    assert in_short(looking.bad()) == expected
    list(Setup(admin, Plan(bucket, "us-east-1", public=True, aws=False)).run())
    assert looking.bad() == []


def test_old_versions_that_stay_are_hinted_at(looking: Looking):
    with closing(s3_client(looking.server.endpoint_url, looking.server.users["everything"])) as everything:
        everything.put_bucket_versioning(Bucket=looking.server.bucket, VersioningConfiguration={"Status": "Enabled"})
    found = [finding for finding in looking.check().run() if finding.what == "versions"]
    assert [finding.verdict for finding in found] == [Verdict.HINT]


def test_workers_without_an_administrator_check_all_but_the_buckets_settings(looking: Looking):
    findings = list(looking.check(admin=looking.server.worker).run())
    assert [finding for finding in findings if not finding.is_good] == []
    hints = [finding.what for finding in findings if "lack s3:" in finding.note]
    assert hints == ["block public access", "bucket policy", "unfinished uploads", "forgotten uploads"]
    looking.assert_nothing_left()


def test_a_check_that_is_broken_off_leaves_nothing_behind(looking: Looking):
    checking = cast("Generator[Finding, None, None]", looking.check().run())
    next(finding for finding in checking if finding.who == "web")
    worker = looking.client(looking.server.worker)
    assert "Contents" in worker.list_objects_v2(Bucket=looking.server.bucket)
    checking.close()
    looking.assert_nothing_left()


def test_a_bucket_that_is_not_there_ends_it_with_a_sentence(looking: Looking):
    with closing(s3_client(looking.server.endpoint_url, looking.server.users["everything"])) as everything:
        everything.delete_bucket(Bucket=looking.server.bucket)
        with pytest.raises(ClientError):
            everything.head_bucket(Bucket=looking.server.bucket)
    with pytest.raises(BucketError, match=r"no such bucket.*bucket setup"):
        list(looking.check().run())
