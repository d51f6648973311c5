"""The smallest machine that the documentation names, when everybody comes at once."""

from pathlib import Path

import pytest

from media_jobs.errors import TooMuchMemory
from tests import images
from tests.e2e.service import photo
from tests.e2e.small_host import CROWD, SmallHost, small_host

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

NO_GROUP = "no cgroup can be made here: root, and a memory controller below /sys/fs/cgroup"


def spared(host: SmallHost) -> bool:
    """Whether the kernel ended nobody, and nobody had to be started again."""
    assert "process_ended" not in host.service.logs
    return host.group.oom_kills == 0


@pytest.mark.parametrize("on_s3", [False, True], ids=["files", "s3"])
def test_thirty_uploads_at_once_fit_into_a_small_host(tmp_path: Path, on_s3: bool) -> None:
    with small_host(tmp_path, on_s3=on_s3) as host:
        if host is None:
            pytest.skip(NO_GROUP)
        taken = host.crowd(photo(4000, 3000))
        assert taken.ends == {"done": CROWD}
        assert spared(host)
        if on_s3:
            return
        # Each takes 72 MB for its coefficients alone: where that is not there, it is said.
        taken = host.crowd(images.jpeg(6000, 4000, progressive=True))
        assert set(taken.ends) <= {"done", TooMuchMemory.code}
        assert spared(host)
        assert host.crowd(photo(800, 600)).ends == {"done": CROWD}, "and the service goes on as before"
