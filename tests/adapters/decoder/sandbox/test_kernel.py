"""What the kernel refuses to a confined process: tried by a real one, not read from flags."""

import json
import os
import platform
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from media_jobs.pipeline.child import landlock
from tests.adapters.decoder.running import LINUX, ROOT

pytestmark = LINUX

HAS_SECCOMP = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "aarch64"), reason="the filter knows the numbers of x86-64 and arm64 only"
)
HAS_LANDLOCK = pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock")

#: Confines itself as a decoder does; `attempt` notes what came of one thing that it tries.
CONFINED = """
import ctypes, errno, fcntl, json, os, platform, resource, signal, socket, sys, threading
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from media_jobs.pipeline.child.confine import confine
inside, outside = Path(sys.argv[2]), Path(sys.argv[3])
connection = socket.socket()
libc = ctypes.CDLL(None, use_errno=True)
arm = platform.machine() == "aarch64"
confine(memory_bytes=768 << 20, parent_pid=os.getppid(), readable=[], writable=[inside])
became = {}
def attempt(name, action):
    try:
        became[name] = str(action() or "done")
    except OSError as error:
        became[name] = errno.errorcode[error.errno]
    except ValueError as error:
        became[name] = str(error)
def call(x86, arm64, *arguments):
    if libc.syscall(ctypes.c_long(arm64 if arm else x86), *map(ctypes.c_long, arguments)) < 0:
        raise OSError(ctypes.get_errno(), "refused")
"""

ATTEMPTS = """
attempt("socket", socket.socket)
attempt("socketpair", socket.socketpair)
attempt("connect", lambda: connection.connect(("127.0.0.1", 9)))
attempt("bind", lambda: connection.bind(("127.0.0.1", 0)))
attempt("fork", os.fork)
attempt("clone", lambda: call(56, 220, signal.SIGCHLD, 0, 0, 0, 0))
attempt("clone into namespaces", lambda: call(56, 220, 0x10000 | 0x20000, 0, 0, 0, 0))
attempt("clone3", lambda: call(435, 435, 0, 0))
attempt("execve", lambda: os.execv("/bin/true", ["true"]))
attempt("ptrace", lambda: call(101, 117, 16, os.getppid(), 0, 0))
attempt("process_vm_readv", lambda: call(310, 270, os.getppid(), 0, 0, 0, 0, 0))
attempt("kill", lambda: os.kill(os.getppid(), 0))
attempt("tgkill", lambda: call(234, 131, os.getppid(), os.getppid(), 0))
attempt("prlimit64", lambda: resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE))
attempt("raise limits", lambda: resource.setrlimit(resource.RLIMIT_AS, (800 << 20, 800 << 20)))
attempt("outlive the parent", lambda: call(157, 167, 1, 0, 0, 0, 0))
attempt("hide from the parent", lambda: call(157, 167, 4, 0, 0, 0, 0))
attempt("type into a terminal", lambda: call(16, 29, 0, 0x5412, 0))
attempt("symlink", lambda: os.symlink("/etc/passwd", inside / "symlink"))
attempt("link", lambda: os.link(inside / "mine", inside / "link"))
attempt("mkfifo", lambda: os.mkfifo(inside / "pipe"))
attempt("chmod", lambda: (inside / "mine").chmod(0o777))
attempt("chown", lambda: os.chown(inside / "mine", os.getuid(), os.getgid()))
attempt("setuid", lambda: os.setuid(os.getuid()))
attempt("chroot", lambda: os.chroot(inside))
attempt("mount", lambda: call(165, 40, 0, 0, 0, 0, 0))
attempt("unshare", lambda: call(272, 97, 0))
attempt("bpf", lambda: call(321, 280, 0, 0, 0))
attempt("userfaultfd", lambda: call(323, 282, 0))
attempt("perf_event_open", lambda: call(298, 241, 0, 0, -1, -1, 0))
attempt("io_uring_setup", lambda: call(425, 425, 1, 0))
attempt("keyctl", lambda: call(250, 219, 0, -3, 0))
attempt("a call of tomorrow", lambda: call(999, 999))
attempt("openat2", lambda: call(437, 437, 0, 0, 0, 0))
attempt("mkdir", lambda: os.mkdir(inside / "folder"))
attempt("date a file outside", lambda: os.utime(outside / "secret", (0, 0)))
attempt("empty a file outside", lambda: os.truncate(outside / "secret", 0))
attempt("empty a file by reading", lambda: os.open(inside / "mine", os.O_RDONLY | os.O_TRUNC))
attempt("empty a file by neither", lambda: os.open(inside / "mine", os.O_ACCMODE | os.O_TRUNC))
attempt("watch a folder", lambda: call(294, 26, 0))
attempt("memory beside the address space", lambda: os.memfd_create("more"))
with (inside / "full").open("wb") as full:
    attempt("room without writing", lambda: os.posix_fallocate(full.fileno(), 0, 4096))
    attempt("signal by a file", lambda: fcntl.fcntl(full, fcntl.F_SETOWN, os.getppid()))
    attempt("any signal by a file", lambda: fcntl.fcntl(full, fcntl.F_SETSIG, signal.SIGKILL))
    attempt("keep others from a file", lambda: fcntl.fcntl(full, fcntl.F_SETLEASE, fcntl.F_WRLCK))
attempt("wake up later", lambda: call(222, 107, 1, 0, 0))
attempt("slow another down", lambda: os.sched_setscheduler(os.getppid(), os.SCHED_IDLE, os.sched_param(0)))
attempt("move another", lambda: os.sched_setaffinity(os.getppid(), {0}))

attempt("read a file outside", lambda: (outside / "secret").read_text())
attempt("list a folder outside", lambda: os.listdir(outside))
attempt("list this checkout", lambda: os.listdir(sys.argv[1]))
attempt("write a file outside", lambda: (outside / "secret").write_text("changed"))
attempt("make a file outside", lambda: (outside / "new").touch())
attempt("remove a file outside", lambda: (outside / "secret").unlink())
attempt("move a file out", lambda: (inside / "mine").rename(outside / "mine"))
attempt("read the users", lambda: Path("/etc/passwd").read_text())
attempt("read the parent's environment", lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes())
attempt("change the program", lambda: (Path(sys.argv[1]) / "media_jobs/pipeline/new.py").write_text(""))

attempt("start a thread", lambda: threading.Thread(target=lambda: None).start())
attempt("write a file inside", lambda: (inside / "new").write_text("new") and None)
attempt("read a file inside", lambda: (inside / "mine").read_text())
attempt("remove a file inside", lambda: (inside / "new").unlink())
attempt("read the program", lambda: (Path(sys.argv[1]) / "media_jobs/errors/base.py").read_bytes() and None)
print(json.dumps(became))
"""
BY_SECCOMP = {
    **dict.fromkeys(
        (
            *("socket", "socketpair", "connect", "bind", "fork", "clone", "clone into namespaces", "execve", "ptrace"),
            *("process_vm_readv", "kill", "tgkill", "prlimit64", "outlive the parent", "type into a terminal"),
            *("symlink", "link", "mkfifo", "chmod", "chown", "setuid", "chroot", "mount", "unshare", "bpf"),
            *("userfaultfd", "perf_event_open", "io_uring_setup", "keyctl", "mkdir", "date a file outside"),
            *("empty a file outside", "empty a file by reading", "empty a file by neither", "watch a folder"),
            *("memory beside the address space", "room without writing", "signal by a file", "any signal by a file"),
            *("keep others from a file", "wake up later", "slow another down", "move another"),
            *("hide from the parent",),
        ),
        "EPERM",
    ),
    "clone3": "ENOSYS",
    "openat2": "ENOSYS",
    "a call of tomorrow": "ENOSYS",
}
BY_LANDLOCK = dict.fromkeys(
    (
        *("read a file outside", "list a folder outside", "list this checkout", "write a file outside"),
        *("make a file outside", "remove a file outside", "move a file out"),
        *("read the users", "read the parent's environment", "change the program"),
    ),
    "EACCES",
)
ALLOWED = {
    **dict.fromkeys(("start a thread", "write a file inside", "remove a file inside", "read the program"), "done"),
    "read a file inside": "mine",
}


def run(lines: str, *arguments: Path | str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-I", "-c", textwrap.dedent(lines), str(ROOT), *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def became(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What came of everything that a confined process tried."""
    inside, outside = tmp_path_factory.mktemp("inside"), tmp_path_factory.mktemp("outside")
    (inside / "mine").write_text("mine")
    (outside / "secret").write_text("secret")
    answer = run(CONFINED + ATTEMPTS, inside, outside)
    assert answer.returncode == 0, answer.stderr
    assert (outside / "secret").read_text() == "secret"
    return dict(json.loads(answer.stdout))


def test_every_attempt_is_looked_at(became: dict[str, str]) -> None:
    assert set(became) == {*BY_SECCOMP, *BY_LANDLOCK, *ALLOWED, "raise limits"}


@HAS_SECCOMP
@pytest.mark.parametrize("call", BY_SECCOMP)
def test_the_kernel_refuses(became: dict[str, str], call: str) -> None:
    assert became[call] == BY_SECCOMP[call]


@HAS_LANDLOCK
@pytest.mark.parametrize("reach", BY_LANDLOCK)
def test_out_of_reach_is(became: dict[str, str], reach: str) -> None:
    assert became[reach] == BY_LANDLOCK[reach]


@pytest.mark.parametrize("need", ALLOWED)
def test_it_still_can(became: dict[str, str], need: str) -> None:
    assert became[need] == ALLOWED[need]


def test_not_even_root_raises_a_limit_again(became: dict[str, str]) -> None:
    assert became["raise limits"] == "not allowed to raise maximum limit"


@HAS_SECCOMP
def test_a_crash_still_looks_like_one(tmp_path: Path) -> None:
    assert run(CONFINED + "os.abort()", tmp_path, tmp_path).returncode == -signal.SIGABRT


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x32 is a way to call an x86-64 kernel")
def test_a_call_by_another_machines_rules_is_the_last() -> None:
    getpid_of_x32 = "libc.syscall(ctypes.c_long(0x40000000 | 39))"
    answer = run(CONFINED + getpid_of_x32, "/nonexistent", "/nonexistent")
    assert answer.returncode == -signal.SIGSYS


@HAS_LANDLOCK
def test_landlock_alone_keeps_from_the_network_and_from_other_processes_too(tmp_path: Path) -> None:
    """Each protection holds without the other, where a kernel has both."""
    if landlock.version() < 6:
        pytest.skip("this kernel's Landlock knows nothing of signals")
    answer = run(
        """
        import ctypes, json, os, signal, socket, sys
        sys.path.insert(0, sys.argv[1])
        from pathlib import Path
        from media_jobs.pipeline.child import landlock
        ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
        landlock.install(readable=[], writable=[Path(sys.argv[2])])
        def attempt(action):
            try:
                action()
            except PermissionError:
                return "refused"
        print(json.dumps([
            attempt(lambda: socket.socket().connect(("127.0.0.1", 9))),
            attempt(lambda: socket.socket().bind(("127.0.0.1", 0))),
            attempt(lambda: os.kill(os.getppid(), 0)),
            attempt(lambda: os.symlink("/etc/passwd", sys.argv[2] + "/symlink")),
            attempt(lambda: os.mkdir(sys.argv[2] + "/folder")),
        ]))
        """,
        tmp_path,
    )
    assert json.loads(answer.stdout) == ["refused"] * 5


def test_a_path_that_is_not_there_does_no_harm(tmp_path: Path) -> None:
    answer = run(CONFINED + "print((inside / 'mine').write_text('x'))", tmp_path, "/nonexistent")
    assert (answer.returncode, answer.stdout.strip()) == (0, "1")
    assert os.listdir(tmp_path) == ["mine"]


@HAS_SECCOMP
def test_a_template_forks_and_can_do_little_else(tmp_path: Path) -> None:
    answer = run(
        """
        import ctypes, errno, json, os, signal, socket, sys
        sys.path.insert(0, sys.argv[1])
        from media_jobs.pipeline.child import confine
        libc = ctypes.CDLL(None, use_errno=True)
        confine.confine_template(os.getppid())
        became = {}
        def attempt(name, action):
            try:
                became[name] = str(action())
            except OSError as error:
                became[name] = errno.errorcode[error.errno]
        def clone_into_namespaces():
            number = 220 if os.uname().machine == "aarch64" else 56
            if libc.syscall(*map(ctypes.c_long, (number, 0x20011, 0, 0, 0, 0))) < 0:
                raise OSError(ctypes.get_errno(), "refused")
        attempt("socket", socket.socket)
        attempt("execve", lambda: os.execv("/bin/true", ["true"]))
        attempt("kill", lambda: os.kill(os.getppid(), 0))
        attempt("namespaces", clone_into_namespaces)
        attempt("mkdir", lambda: os.mkdir(sys.argv[2] + "/folder"))
        attempt("setuid", lambda: os.setuid(os.getuid()))
        attempt("memory", lambda: os.memfd_create("more"))
        attempt("dumpable", lambda: libc.prctl(3, 0, 0, 0, 0))
        attempt("new privileges", lambda: 1 - libc.prctl(39, 0, 0, 0, 0))
        def forked():
            child = os.fork() or os.abort()
            return os.waitpid(child, 0)[1]
        attempt("fork, and die of a signal", forked)
        print(json.dumps(became))
        """,
        tmp_path,
    )
    assert answer.returncode == 0, answer.stderr
    refused = dict.fromkeys(("socket", "execve", "kill", "namespaces", "mkdir", "setuid", "memory"), "EPERM")
    able = {"dumpable": "0", "new privileges": "0", "fork, and die of a signal": str(int(signal.SIGABRT))}
    assert json.loads(answer.stdout) == {**refused, **able}
