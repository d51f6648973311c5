"""However the decoder's process ends, its parent knows why, and the next picture gets a new one."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from media_jobs import errors
from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.states import SandboxEnd
from tests import images
from tests.adapters.decoder.running import LINUX, SLOW, Ask

pytestmark = pytest.mark.slow


def gone(pid: int) -> bool:
    """Whether the process has ended, waiting a while for a signal to arrive."""
    for _ in range(200):
        try:
            if "State:\tZ" in Path(f"/proc/{pid}/status").read_text():
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def test_a_child_killed_in_mid_render_is_reported_and_replaced(ask: Ask, sandbox: Sandbox, large: bytes) -> None:
    def kill(done: int, of: int) -> None:
        assert sandbox.pid
        os.kill(sandbox.pid, signal.SIGKILL)

    with pytest.raises(errors.DecoderKilled, match="killed from outside"):
        ask(large, SLOW, on_output=kill)
    assert len(ask(images.jpeg()).outputs) == 4
    assert sandbox.restarts == {SandboxEnd.KILLED: 1}


CRASHES = [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGTRAP, signal.SIGFPE, signal.SIGSYS]


@pytest.mark.parametrize("how", CRASHES)
def test_a_crash_on_a_childs_first_picture_is_the_pictures_doing(
    ask: Ask, sandbox: Sandbox, how: signal.Signals
) -> None:
    pids = set()

    def crash(done: int, of: int) -> None:
        assert sandbox.pid
        pids.add(sandbox.pid)
        os.kill(sandbox.pid, how)

    with pytest.raises(errors.DecoderCrashed, match=SIGSYS_OR_NUMBER.format(how)):
        ask(images.jpeg(3000, 2000), SLOW, on_output=crash)
    assert len(pids) == 1


SIGSYS_OR_NUMBER = "crashed, signal {0:d}|system call"


def test_a_crash_of_a_child_that_was_used_before_is_tried_again_in_a_new_one(ask: Ask, sandbox: Sandbox) -> None:
    ask(images.jpeg())
    used = sandbox.pid
    assert used
    seen: list[int] = []

    def crash_the_first(done: int, of: int) -> None:
        seen.append(done)
        if sandbox.pid == used:
            os.kill(used, signal.SIGSEGV)

    assert len(ask(images.jpeg(3000, 2000), SLOW, on_output=crash_the_first).outputs) == 6
    assert sandbox.pid != used
    assert seen[-6:] == [1, 2, 3, 4, 5, 6]


def test_a_picture_that_crashes_a_new_child_too_is_to_blame_and_not_tried_a_third_time(
    ask: Ask, sandbox: Sandbox
) -> None:
    ask(images.jpeg())
    pids = set()

    def crash(done: int, of: int) -> None:
        assert sandbox.pid
        pids.add(sandbox.pid)
        os.kill(sandbox.pid, signal.SIGABRT)

    with pytest.raises(errors.DecoderCrashed):
        ask(images.jpeg(3000, 2000), SLOW, on_output=crash)
    assert len(pids) == 2
    assert sandbox.restarts == {SandboxEnd.CRASHED: 2}


def test_a_kill_is_not_tried_again(ask: Ask, sandbox: Sandbox) -> None:
    ask(images.jpeg())
    pids = set()

    def kill(done: int, of: int) -> None:
        assert sandbox.pid
        pids.add(sandbox.pid)
        os.kill(sandbox.pid, signal.SIGKILL)

    with pytest.raises(errors.DecoderKilled):
        ask(images.jpeg(3000, 2000), SLOW, on_output=kill)
    assert len(pids) == 1


def test_a_child_that_dies_before_its_first_picture_blames_none(
    altered: Callable[[str], None], ask: Ask, sandbox: Sandbox
) -> None:
    altered("import os; os.abort()")
    with pytest.raises(errors.DecoderFailed, match="signal 6") as raised:
        ask(images.jpeg())
    assert not isinstance(raised.value, errors.DecoderCrashed)
    assert sandbox.restarts == {SandboxEnd.FAILED: 1}


@LINUX
def test_a_child_that_uses_up_its_processor_time_was_too_slow(altered: Callable[[str], None], ask: Ask) -> None:
    altered("""
        import resource
        from media_jobs.pipeline.child import confine
        confine._LIMITS[resource.RLIMIT_CPU] = 2
    """)
    with pytest.raises(errors.DecoderTimeout):
        ask(images.jpeg(6000, 4000), SLOW)


def test_a_child_that_died_idle_is_replaced_unnoticed(ask: Ask, sandbox: Sandbox) -> None:
    ask(images.jpeg())
    first = sandbox.pid
    assert first
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)  # all its threads have ended, and nobody has asked yet
    ask(images.jpeg())
    assert sandbox.pid != first
    assert sandbox.restarts == {SandboxEnd.KILLED: 1}


def test_past_its_time_a_child_is_killed(ask: Ask, sandbox: Sandbox, large: bytes) -> None:
    pids: list[int | None] = []
    with pytest.raises(errors.DecoderTimeout, match=r"within 0\.7 seconds"):
        ask(large, SLOW, timeout_s=0.7, heartbeat=lambda: pids.append(sandbox.pid))
    [pid] = {pid for pid in pids if pid}  # it may beat while the child is being started
    assert gone(pid)
    assert sandbox.pid is None
    assert len(ask(images.jpeg()).outputs) == 4
    assert sandbox.restarts == {SandboxEnd.TIMEOUT: 1}


class StopWanted(Exception):
    """What a worker raises in its heartbeat."""


@pytest.mark.parametrize("where", ["heartbeat", "on_output"])
def test_whatever_a_callback_raises_passes_through_and_kills_the_child(
    ask: Ask, sandbox: Sandbox, large: bytes, where: str
) -> None:
    pids: list[int] = []

    def stop(*_: int) -> None:
        if sandbox.pid:  # it may beat while the child is being started
            pids.append(sandbox.pid)
            raise StopWanted

    with pytest.raises(StopWanted):
        ask(large, SLOW, **{where: stop})
    assert gone(pids[0])
    assert ask(images.jpeg(64, 48)).width_px == 64
    assert sandbox.restarts == {SandboxEnd.INTERRUPTED: 1}


def test_a_heartbeat_may_stop_a_child_that_never_comes_up(
    altered: Callable[[str], None], ask: Ask, sandbox: Sandbox
) -> None:
    altered("import time; time.sleep(600)")
    pids: list[int | None] = []

    def stop_the_second_time() -> None:
        if sandbox.pid:
            pids.append(sandbox.pid)
        if len(pids) == 2:
            raise StopWanted

    with pytest.raises(StopWanted):
        ask(images.jpeg(), heartbeat=stop_the_second_time)
    assert pids[0]
    assert gone(pids[0])


def test_a_heartbeat_may_stop_a_child_that_says_no_more_but_does_not_end(
    altered: Callable[[str], None], ask: Ask, sandbox: Sandbox
) -> None:
    altered("""
        import os, time
        from media_jobs.pipeline.child import loop
        def fall_silent(*_):
            os.closerange(1, 64)
            time.sleep(600)
        loop._answer = fall_silent
    """)
    pids: list[int | None] = []

    def stop_the_third_time() -> None:
        if sandbox.pid and sandbox._child and not sandbox._child.is_fresh:
            pids.append(sandbox.pid)
        if len(pids) == 3:
            raise StopWanted

    with pytest.raises(StopWanted):
        ask(images.jpeg(), heartbeat=stop_the_third_time)
    assert pids[0]
    assert gone(pids[0])


def test_an_exception_out_of_the_blue_leaves_no_answer_for_the_next_render(
    ask: Ask, sandbox: Sandbox, large: bytes
) -> None:
    """RQ's time limit is an exception raised by a signal handler, wherever the worker is just then."""

    def alarm(signum: int, frame: object) -> None:
        raise StopWanted

    before = signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, 0.8)
    try:
        with pytest.raises(StopWanted):
            ask(large, SLOW)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert ask(images.jpeg(64, 48)).width_px == 64


def test_closing_twice_is_fine(ask: Ask, sandbox: Sandbox) -> None:
    ask(images.jpeg())
    child = sandbox.pid
    sandbox.close()
    sandbox.close()
    assert child
    assert gone(child)


@LINUX
def test_the_child_dies_with_its_parent(tmp_path: Path) -> None:
    """Even one that is too busy, here stopped, to notice that nobody listens any more."""
    (tmp_path / "source").write_bytes(images.jpeg())
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    died = gone(child)
    if not died:
        os.kill(child, signal.SIGKILL)
    assert died


PARENT = textwrap.dedent("""
    import os, signal, sys, time
    from pathlib import Path
    from media_jobs.adapters.decoder.sandbox import Sandbox
    from media_jobs.pipeline.recipes import GALLFORMERS
    from media_jobs.pipeline.values import Request
    def stop(done, of):
        os.kill(box.pid, signal.SIGSTOP)
        print(box.pid, flush=True)
        time.sleep(600)
    box = Sandbox(768 << 20, Path(sys.argv[1]))
    request = Request(sys.argv[1] + "/source", sys.argv[1], "0", GALLFORMERS)
    box.render(request, timeout_s=60, heartbeat=lambda: None, on_output=stop)
""")
