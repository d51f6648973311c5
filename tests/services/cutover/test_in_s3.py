"""A live site's pictures in S3: read and compared with the rights that are printed for it, and no others."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from media_jobs.adapters.bucket import policies
from media_jobs.adapters.bucket.findings import Verdict as Found
from media_jobs.errors import LegacyDenied
from media_jobs.models import Shadow
from media_jobs.pipeline.compare.values import Reason, Verdict
from media_jobs.services import bucket
from media_jobs.services.cutover import holding, legacy
from media_jobs.services.jobs import worker as workers
from media_jobs.states import ShadowState
from tests import working as jobs
from tests.servers.seaweed import SeaweedFS, s3_client, seaweedfs, use
from tests.services.cutover.conftest import KEY
from tests.services.cutover.making import Site
from tests.services.cutover.test_fetching import asked, take_turn

# `make test-all` runs them
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite, pytest.mark.slow]

OURS, THEIRS, PREFIX = "gallimg", "the-site", "gall/"
EVERYTHING = policies.policy({"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]})
USERS = {
    "worker-with-legacy": policies.worker(OURS, legacy=PREFIX),
    "read-with-legacy": policies.read(OURS, legacy=PREFIX),
    "legacy": policies.legacy(THEIRS, prefix=PREFIX),
    "legacy-of-another-folder": policies.legacy(THEIRS, prefix="other/"),
    "owner": EVERYTHING,
}


class BucketSite(Site):
    """Writes objects where the site would."""

    def __init__(self, client: Any, name: str) -> None:
        self._client, self._bucket = client, name

    def write(self, key: str, content: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=key, Body=content)

    def has(self) -> dict[str, bytes]:
        listed = self._client.list_objects_v2(Bucket=self._bucket, Prefix=PREFIX)["Contents"]
        keys = [found["Key"] for found in listed]
        return {key: self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read() for key in keys}


@pytest.fixture(scope="module")
def server() -> Iterator[SeaweedFS]:
    """The bucket of the service, and one of the site's own."""
    with seaweedfs(OURS, users=USERS) as running:
        with closing(s3_client(running.endpoint_url, running.users["owner"])) as owner:
            owner.create_bucket(Bucket=THEIRS)
        yield running


@pytest.fixture(params=["our bucket", "another bucket"])
def place(request: pytest.FixtureRequest, server: SeaweedFS, settings: Any) -> str:
    """Where the site has its pictures, as the settings say it; rights to read there have not been given."""
    use(server, settings)
    settings.S3_ADMIN_CREDENTIALS, settings.SHADOW_GRACE_S = (*server.admin, ""), 0
    if request.param == "our bucket":
        settings.LEGACY_PREFIX_IN_BUCKET = PREFIX
        return OURS
    settings.LEGACY_S3_BUCKET, settings.LEGACY_S3_ENDPOINT_URL = THEIRS, server.endpoint_url
    settings.LEGACY_S3_CREDENTIALS = (*server.users["legacy-of-another-folder"], "")
    return THEIRS


@pytest.fixture
def granted(place: str, server: SeaweedFS, settings: Any) -> None:
    """The rights that `manage.py bucket policy` prints now."""
    if place == OURS:
        settings.S3_WORKER_CREDENTIALS = (*server.users["worker-with-legacy"], "")
        settings.S3_READ_CREDENTIALS = (*server.users["read-with-legacy"], "")
    else:
        settings.LEGACY_S3_CREDENTIALS = (*server.users["legacy"], "")


@pytest.fixture
def site(place: str, server: SeaweedFS, photo: bytes) -> Iterator[BucketSite]:
    with closing(s3_client(server.endpoint_url, server.users["owner"])) as owner:
        made = BucketSite(owner, place)
        made.write_sizes(KEY, photo)
        yield made


def findings() -> list[tuple[str, str, Found]]:
    """Whatever is not good, and what is said of the site's pictures."""
    found = [one for one in bucket.check() if not one.is_good or "site's pictures" in one.note]
    return [(one.who, one.what, one.verdict) for one in found]


@pytest.mark.usefixtures("granted")
def test_a_shadow_comes_to_a_verdict_with_the_rights_that_are_printed(
    site: BucketSite, place: str, photo: bytes
) -> None:
    printed = {document.name: document.content for document in bucket.documents()}
    if place == OURS:
        assert (printed["worker"], printed["read"]) == (USERS["worker-with-legacy"], USERS["read-with-legacy"])
        assert findings() == [("worker", "GetObject", Found.THERE), ("read", "GetObject", Found.THERE)]
    else:
        assert (printed["worker"], printed["legacy"]) == (policies.worker(OURS), USERS["legacy"])
        assert findings() == [("legacy", "GetObject", Found.THERE)]
    had = site.has()
    shadow = asked()
    take_turn()
    shadow.refresh_from_db()
    assert shadow.job, shadow.detail
    jobs.run(shadow.job.pk)
    take_turn()
    shadow.refresh_from_db()
    assert (shadow.state, shadow.verdict in (Verdict.SAME, Verdict.BETTER)) == (ShadowState.COMPARED, True)
    with closing(legacy.open_size(KEY, "small")) as theirs:
        assert theirs.read(len(photo)).startswith(b"\xff\xd8")
    assert site.has() == had


def test_an_empty_folder_is_not_tried_and_who_may_not_list_reads_nothing(
    place: str, server: SeaweedFS, settings: Any
) -> None:
    if place == OURS:
        settings.LEGACY_PREFIX = settings.LEGACY_PREFIX_IN_BUCKET = "empty/"
        assert findings() == [("worker", "GetObject", Found.HINT), ("read", "GetObject", Found.HINT)]
        settings.LEGACY_PREFIX_IN_BUCKET = ""
        assert findings() == [], "nobody has said that the site has anything here"
    else:
        settings.LEGACY_S3_CREDENTIALS = (*server.read, "")
        assert findings() == [("legacy", "ListBucket", Found.MISSING)]


@pytest.mark.usefixtures("granted", "site")
def test_what_the_site_has_not_is_missing_and_not_forbidden() -> None:
    shadow = Shadow.objects.create(legacy_key="gall/9/9_1_original.jpg", owner="key:site", state=ShadowState.FETCHING)
    take_turn()
    shadow.refresh_from_db()
    assert (shadow.verdict, shadow.reason, shadow.code) == (Verdict.MISSING, Reason.LEGACY_MISSING, "")


@pytest.mark.usefixtures("site")
def test_what_may_not_be_read_fails_and_says_which_right_is_lacking(place: str) -> None:
    who = ["worker", "read"] if place == OURS else ["legacy"]
    assert findings() == [(name, "GetObject", Found.MISSING) for name in who]
    shadow = asked(attempts=holding.MOST_ATTEMPTS - 1)
    take_turn()
    shadow.refresh_from_db()
    assert (shadow.state, shadow.code, shadow.original) == (ShadowState.FAILED, "legacy_denied", None)
    assert "below gall/" in shadow.detail
    assert "bucket policy" in shadow.detail
    assert not workers.current().suspects_outage, "uploads go on"
    with pytest.raises(LegacyDenied):
        legacy.open_size(KEY, "small")
