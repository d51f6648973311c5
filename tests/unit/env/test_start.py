"""The start reads `.env`, makes what is missing in the data directory, and otherwise ends with one line."""

import stat
from pathlib import Path

import pytest

from gallimg_site.env_fields import ConfigError
from tests.unit.env.helpers import complaint, load, run_check


def test_dotenv_is_read_and_the_real_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=9001\nLOG_LEVEL=debug\nWORKERS=5\n")
    found = load(monkeypatch, LOG_LEVEL="error", WORKERS="")
    assert (found.PORT, found.LOG_LEVEL) == (9001, "error")
    assert found.WORKERS == 2, "an empty variable says: not set, whatever .env has"


def test_dotenv_is_validated_like_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=many\n")
    assert complaint(monkeypatch).startswith("PORT: got 'many', takes ")


@pytest.mark.parametrize("unreadable", ["a directory", "no text"])
def test_an_unreadable_dotenv_is_one_line_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unreadable: str) -> None:
    if unreadable == "a directory":
        (tmp_path / ".env").mkdir()
    else:
        (tmp_path / ".env").write_bytes(b"PORT=\xff\xfe\x00")
    assert complaint(monkeypatch).startswith(".env: got what cannot be read")


def test_the_embedded_secret_key_is_made_once_and_for_the_owner_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = load(monkeypatch).secret_key
    assert len(first) >= 50
    assert load(monkeypatch).secret_key == first
    assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700
    assert load(monkeypatch, SECRET_KEY="given").secret_key == "given"


def test_a_data_directory_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = load(monkeypatch, GALLIMG_DATA=str(tmp_path / "file"))
    with pytest.raises(ConfigError, match=r"^GALLIMG_DATA: got '.*file', which cannot be used \(.+\); takes "):
        _ = found.secret_key


def test_the_start_ends_with_that_line_and_nothing_else(tmp_path: Path) -> None:
    ended = run_check(tmp_path, PORT="http")
    assert ended.returncode == 1
    assert ended.stderr == "gallimg cannot start. PORT: got 'http', takes a whole number from 1 to 65535\n"
    assert ended.stdout == ""


def test_the_start_reads_dotenv_in_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("HOST=0.0.0.0\nALLOW_ANONYMOUS=true\n")
    ended = run_check(tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.startswith("gallimg cannot start. ALLOW_ANONYMOUS: got true, but HOST is '0.0.0.0'")
    assert run_check(tmp_path, ALLOW_ANONYMOUS="false").returncode == 0
