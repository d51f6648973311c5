"""The process that decoders are forked from: shared by all of a worker, replaced when it dies, closed to them."""

import contextlib
import os
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from media_jobs import errors
from media_jobs.adapters.decoder import process, starting, template, template_process
from media_jobs.adapters.decoder import sandbox as sandboxes
from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.pipeline.child import landlock
from media_jobs.pipeline.recipes import GALLFORMERS
from media_jobs.pipeline.values import Request
from media_jobs.ports import no_heartbeat
from tests import images
from tests.adapters.decoder.running import LINUX, MEMORY_BYTES, Ask
from tests.leftovers import children_of_this_process

pytestmark = LINUX

PHOTO = images.jpeg(64, 48)


@pytest.fixture(autouse=True)
def _own() -> Iterator[None]:
    """Other tests share theirs."""
    template.close()
    yield
    template.close()


def template_pid() -> int:
    assert template._template
    return template._template._process.pid


def descriptors(pid: int | str) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_a_killed_template_hurts_no_decoder_and_is_replaced_for_the_next(ask: Ask, sandbox: Sandbox) -> None:
    ask(PHOTO)
    first, decoder = template_pid(), sandbox.pid
    os.kill(first, signal.SIGKILL)
    ask(PHOTO)
    assert sandbox.pid == decoder
    sandbox.close()
    ask(PHOTO)
    assert template_pid() != first


def test_a_template_that_does_not_start_is_named_and_the_next_one_is_tried(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "broken.py").write_text("import nothing_of_this_name")
    with monkeypatch.context() as patched:
        patched.setattr(starting, "ENTRY", tmp_path / "broken.py")
        with pytest.raises(errors.DecoderFailed, match="could not be started"):
            ask(PHOTO)
    assert "ModuleNotFoundError: No module named" in caplog.text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.py", "source"], "a folder was left"
    assert ask(PHOTO).width_px == 64


def test_a_template_that_somebody_kills_while_it_starts_is_no_bug_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel does, where memory ends."""
    before = children_of_this_process()
    (tmp_path / "slow.py").write_text("import time; time.sleep(600)")
    monkeypatch.setattr(starting, "ENTRY", tmp_path / "slow.py")

    def kill() -> None:
        for pid in children_of_this_process() - before:
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(errors.DecoderKilled, match="killed from outside"):
        process.DecoderProcess(MEMORY_BYTES, tmp_path, [], kill)


def test_a_template_that_falls_silent_is_replaced(ask: Ask, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.start()
    silent = template_pid()
    sandbox.close()
    os.kill(silent, signal.SIGSTOP)
    monkeypatch.setattr(template_process, "_ANSWER_TIMEOUT_S", 0.5)
    ask(PHOTO, heartbeat=monkeypatch.undo)  # the new one has its time
    assert template_pid() != silent


def test_a_heartbeat_ends_the_wait_for_a_template_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class StopWanted(Exception):
        pass

    def stop() -> None:
        raise StopWanted

    (tmp_path / "slow.py").write_text("import time; time.sleep(600)")
    monkeypatch.setattr(starting, "ENTRY", tmp_path / "slow.py")
    before = descriptors("self")  # idle decoders of other tests may end meanwhile
    with pytest.raises(StopWanted):
        process.DecoderProcess(MEMORY_BYTES, tmp_path, [], stop)
    assert descriptors("self") <= before
    assert [path.name for path in tmp_path.iterdir()] == ["slow.py"]


def test_sandboxes_of_many_threads_share_one_template(tmp_path: Path) -> None:
    found: list[int] = []
    all_started = threading.Barrier(4, timeout=120)  # it ends with the thread that needed it first

    def work() -> None:
        with contextlib.closing(Sandbox(MEMORY_BYTES, tmp_path)) as box:
            box.start()
            found.append(template_pid())
            all_started.wait()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_it_is_heard_beside_more_connections_than_select_knows(ask: Ask) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip("this system lets a process have no more than 1,024 files open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    with contextlib.ExitStack() as connections:
        connections.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        while connections.enter_context(open(os.devnull)).fileno() < 1024:  # as slots of a web process may meet
            pass
        ask(PHOTO)
        assert template._template
        assert template._template._socket.fileno() > 1024


@pytest.mark.slow
def test_it_leaks_nothing_however_often_it_is_forked(tmp_path: Path) -> None:
    def fork() -> None:
        process.DecoderProcess(MEMORY_BYTES, tmp_path, [], no_heartbeat).kill()

    fork()
    before = descriptors(template_pid())
    ours, decoders = descriptors("self"), children_of_this_process()  # idle ones of other tests may end meanwhile
    for _ in range(300):
        fork()
    assert descriptors(template_pid()) == before
    assert descriptors("self") <= ours
    assert children_of_this_process() <= decoders


def test_after_a_crash_the_next_decoder_has_other_addresses(ask: Ask, sandbox: Sandbox) -> None:
    """All that are forked from one template have the same."""

    def crash(done: int, of: int) -> None:
        os.kill(sandbox.pid or 0, signal.SIGSEGV)

    ask(PHOTO)
    first = template_pid()
    with pytest.raises(errors.DecoderCrashed):
        ask(images.jpeg(3000, 2000), on_output=crash)
    ask(PHOTO)
    assert template_pid() != first


@pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock")
def test_a_decoder_reaches_neither_the_template_nor_another_decoder(
    altered: Callable[[str], None], tmp_path: Path
) -> None:
    altered("""
        import os
        from pathlib import Path
        from media_jobs.pipeline import render
        def look(request, on_output):
            raise RuntimeError(f"it saw {os.listdir(Path(request.source).read_text())}")
        render.render = look
    """)
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    with (
        contextlib.closing(Sandbox(MEMORY_BYTES, other)) as neighbour,
        contextlib.closing(Sandbox(MEMORY_BYTES, own)) as box,
    ):
        neighbour.start()
        [folder] = other.iterdir()
        for reach in (folder, f"/proc/{template_pid()}/fd", f"/proc/{neighbour.pid}/fd"):
            (own / "source").write_text(str(reach))
            request = Request(str(own / "source"), str(own), "0" * 64, GALLFORMERS)
            with pytest.raises(errors.DecoderFailed, match="PermissionError"):
                box.render(request, timeout_s=60, heartbeat=no_heartbeat, on_output=lambda done, of: None)


def test_a_decoder_without_work_ends(ask: Ask, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(PHOTO)
    sandbox.close_if_idle()
    assert sandbox.pid
    monkeypatch.setattr(sandboxes, "_IDLE_S", 0.0)
    sandbox.close_if_idle()
    assert sandbox.pid is None
    assert not sandbox.restarts, "that is no misfortune"
    assert ask(PHOTO).width_px == 64


def test_a_template_that_nobody_needs_ends_too(ask: Ask, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(PHOTO)
    sandbox.close_if_idle()
    assert template.is_running()
    monkeypatch.setattr(template, "_IDLE_S", 0.0)
    sandbox.close_if_idle()
    assert not template.is_running()
    ask(PHOTO)
    sandbox.close()
    ask(PHOTO)
    assert template.is_running()


def test_a_fork_of_its_worker_leaves_the_template_alone(ask: Ask, sandbox: Sandbox) -> None:
    ask(PHOTO)
    before = template_pid()
    fork = os.fork()
    if not fork:
        template.close()
        os._exit(0 if template._template is None else 1)
    assert os.waitpid(fork, 0)[1] == 0
    sandbox.close()
    ask(PHOTO)
    assert template_pid() == before


def test_where_no_child_can_be_handed_over_each_decoder_is_a_program_of_its_own(
    ask: Ask, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "FORKS", False)
    assert ask(PHOTO).width_px == 64
    assert template._template is None
    assert sandbox.start().protection.missing == []
