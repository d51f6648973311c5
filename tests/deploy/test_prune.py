"""What the image leaves out of packages. The image itself is tried by test_container.py."""

from pathlib import Path

import pytest

from deploy.container import prune


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name in ("botocore/data/s3/service.json", "botocore/data/ec2/service.json", "botocore/data/endpoints.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_folders_go_but_for_those_that_are_needed(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune, "CUTS", {"botocore/data/*/": "services", "!botocore/data/{s3,sts}": "pictures"})
    for path in prune.to_be_cut(site):
        prune.remove(path)
    assert {path.name for path in (site / "botocore/data").iterdir()} == {"s3", "endpoints.json"}


def test_a_cut_that_finds_nothing_stops_the_build(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune, "CUTS", {"botocore/date/*/": "misspelt"})
    with pytest.raises(LookupError, match="botocore/date"):
        prune.to_be_cut(site)


def test_each_cut_says_why() -> None:
    assert all(prune.CUTS.values())
