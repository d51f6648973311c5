"""`manage.py serve`: one command starts everything, keeps it alive and stops it."""

import ctypes
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests import servers
from tests.e2e.service import Service, is_alive, photo, refusal, running, wait_until

pytestmark = pytest.mark.e2e


@pytest.mark.smoke
def test_ready_means_that_an_upload_is_done_soon(service: Service) -> None:
    assert "gallimg ready" in service.output
    assert f"{service.url}/v1/images" in service.output
    assert f"{service.url}/docs" in service.output
    assert f"{service.url}/admin/" in service.output
    job = service.upload()
    assert job["status"] == "done"
    assert {d["name"] for d in job["derivatives"]} == {"full", "medium", "small", "thumb"}


def test_an_upload_of_unknown_length_is_done_too(service: Service) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="photo.jpg"\r\n\r\n'
        yield photo()
        yield b"\r\n--b--\r\n"

    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = httpx.post(f"{service.url}/v1/images", content=chunks(), headers=kind, timeout=30)
    assert answer.status_code == 202, answer.text
    assert service.finished(answer.json()["jobId"])["status"] == "done"


@pytest.mark.parametrize("kind", ["web", "worker", "valkey"])
def test_what_is_killed_comes_back_and_works(service: Service, kind: str) -> None:
    before = service.pids(kind)
    assert before
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: not is_alive(before[0]), 60, f"the end of the {kind}")
    wait_until(lambda: len(service.pids(kind)) == len(before) and service.is_ready(), 60, f"a new {kind}")
    assert service.upload()["status"] == "done"


def test_the_decoder_is_loaded_in_the_sandbox_only(service: Service) -> None:
    assert service.upload()["status"] == "done"
    sandboxes = service.pids("sandbox")
    assert sandboxes
    assert not _can_look_into(sandboxes[0]) or any(_maps_vips(pid) for pid in sandboxes)
    others = [service.pid, *service.pids("web"), *service.pids("worker"), *service.pids("valkey")]
    assert len(others) == 4
    assert not [pid for pid in others if _can_look_into(pid) and _maps_vips(pid)]


def _can_look_into(pid: int) -> bool:
    """Workers are closed to all but root."""
    return os.access(f"/proc/{pid}/maps", os.R_OK)


def _maps_vips(pid: int) -> bool:
    return "vips" in Path(f"/proc/{pid}/maps").read_text()


def test_the_web_process_holds_no_lock_on_the_data_directory(service: Service) -> None:
    lock = str(service.data / "lock")
    for pid in service.pids():
        for entry in Path("/proc").glob(f"{pid}/fd/*"):
            with suppress(FileNotFoundError):  # it has just been closed
                assert os.readlink(entry) != lock


def test_ctrl_c_stops_every_process_and_a_restart_keeps_the_data(tmp_path: Path) -> None:
    with running(tmp_path / "data") as service:
        job = service.upload()
        everything = [service.pid, *service.pids()]
        assert service.stop(signal.SIGINT) == 0
        assert not [pid for pid in everything if is_alive(pid)]
        assert "Traceback" not in service.logs
        service.start()
        kept = httpx.get(f"{service.url}/v1/jobs/{job['jobId']}").json()
        assert kept == job
        assert httpx.get(kept["derivatives"][0]["url"]).status_code == 200
        assert service.stop(signal.SIGTERM) == 0


def test_a_job_in_hand_is_finished_before_the_stop(tmp_path: Path) -> None:
    with running(tmp_path / "data") as service:
        job = service.send(photo(6000, 4000))
        assert service.stop(signal.SIGTERM) == 0
        assert "Traceback" not in service.logs
        service.start()
        assert service.finished(job)["status"] == "done"


def test_a_killed_master_leaves_no_process_behind(tmp_path: Path) -> None:
    with running(tmp_path / "data") as service:
        service.upload()
        everything = service.pids()
        assert {*service.pids("web"), *service.pids("worker"), *service.pids("valkey")} < set(everything)
        service.kill()
        wait_until(lambda: not [pid for pid in everything if is_alive(pid)], 60, "the end of the orphans")
        service.start()
        assert service.upload()["status"] == "done"


def test_the_first_run_shows_itself_at_work_and_the_second_does_not(tmp_path: Path) -> None:
    with running(tmp_path / "data", arguments=("--welcome",)) as service:
        wait_until(lambda: "two sample photographs: done and done" in service.output, 120, "the samples")
        password = service.output.partition("sign in  admin / ")[2].split()[0]
        assert password not in service.logs
        assert _can_sign_in(service, password)
        wait_until(lambda: not service.pids("greeter"), 60, "the end of the greeter")
        shown = [word for word in service.output.split() if "/v1/images/" in word]
        derivatives = [made["url"] for address in shown for made in httpx.get(address).json()["derivatives"]]
        assert len(derivatives) == 8
        assert {httpx.get(url).headers["Content-Type"] for url in derivatives} == {"image/jpeg"}
        service.stop()
        service.start()
        wait_until(lambda: not service.pids("greeter"), 60, "the end of the greeter")
        assert "sign in" not in service.output
        assert "sample" not in service.output


def _can_sign_in(service: Service, password: str) -> bool:
    with httpx.Client(base_url=service.url, follow_redirects=True) as browser:
        browser.get("/admin/login/")
        form = {"username": "admin", "password": password, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        return browser.post("/admin/login/?next=/admin/", data=form).url.path == "/admin/"


# --- refusals: one line each ----------------------------------------------------------------------


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refusal({"GALLIMG_DATA": str(tmp_path / "data"), "PORT": str(port)})
    assert f"127.0.0.1:{port}" in line
    assert "PORT" in line


def test_a_second_service_on_the_same_data_is_refused(service: Service) -> None:
    line = refusal({"GALLIMG_DATA": str(service.data)})
    assert "already running" in line
    assert str(service.pid) in line


def test_a_data_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    for key in ("", "given, so that no file is made for it" * 2):
        assert "GALLIMG_DATA" in refusal({"GALLIMG_DATA": str(tmp_path / "data"), "SECRET_KEY": key})


def test_a_data_directory_without_write_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    line = refusal({"GALLIMG_DATA": str(tmp_path / "data")}, preexec_fn=_obey_permissions)
    assert "GALLIMG_DATA" in line
    assert "Permission denied" in line


def _obey_permissions() -> None:
    """Root, too: drop CAP_DAC_OVERRIDE, which would let it write everywhere."""
    if os.geteuid() == 0:
        assert ctypes.CDLL(None).prctl(24, 1, 0, 0, 0) == 0


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    line = refusal({"GALLIMG_DATA": str(tmp_path / "data"), "WORKERS": "many"})
    assert "WORKERS" in line
    assert "'many'" in line


def test_a_queue_that_refuses_the_password_is_named(tmp_path: Path) -> None:
    with servers.valkey("sesame") as queue:
        address = queue.url.replace("unix://", "unix://:hunter2@")
        line = refusal({"GALLIMG_DATA": str(tmp_path / "data"), "REDIS_URL": address})
    assert "REDIS_URL" in line
    assert "hunter2" not in line


def test_a_database_that_is_away_is_named(tmp_path: Path) -> None:
    env = {"GALLIMG_DATA": str(tmp_path / "data"), "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}
    assert "postgresql" in refusal({**env, "SECRET_KEY": "x" * 50})


def test_with_a_public_name_nobody_is_anonymous_and_the_welcome_still_shows_its_samples(tmp_path: Path) -> None:
    public = {"PUBLIC_BASE_URL": "https://images.example.org"}
    with running(tmp_path / "data", public, arguments=("--welcome",)) as service:
        wait_until(lambda: "two sample photographs: done and done" in service.output, 120, "the samples")
        assert "Authorization: Bearer KEY" in service.output
        files = {"file": ("photo.jpg", photo())}
        assert httpx.post(f"{service.url}/v1/images", files=files).status_code == 401
        wait_until(lambda: "revoked" in service.manage("apikey", "list"), 60, "the end of the samples' key")
