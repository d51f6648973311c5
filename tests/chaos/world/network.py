"""A network of its own on this machine: hosts in namespaces, on a switch that can swallow all that one of them sends.

Needs root and iproute2. Everything goes when the hosts have ended and the switch is closed.
"""

import ctypes
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.service import wait_until
from tests.servers.relay import Relay, connector

#: The switch itself, where hosts find the servers.
SERVERS = "10.77.0.1"
_SERVERS_MAC = "02:00:00:00:00:01"
_CLONE_NEWNET = 0x4000_0000
_LIBC = ctypes.CDLL(None, use_errno=True)

#: Run by a host that has just got its namespaces, with its number as `$1`. The servers' address is known to it for
#: ever: when packets are swallowed nothing tells it that nobody is there.
JOIN = (
    'until ip address add "10.77.0.$1/24" dev eth0 2>/dev/null; do sleep 0.02; done; '
    "ip link set lo up; ip link set eth0 up; "
    f"ip neighbour replace {SERVERS} lladdr {_SERVERS_MAC} dev eth0 nud permanent"
)


def is_possible() -> bool:
    """Whether this process may make namespaces and has what connects them."""
    return (
        bool(shutil.which("ip"))
        and not subprocess.run(
            ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "ip", "link", "add", "eth0", "type", "veth"],
            stderr=subprocess.DEVNULL,
            check=False,
        ).returncode
    )


def address(number: int) -> str:
    return f"10.77.0.{number}"


class Switch:
    """A namespace with a bridge. Servers stay where they are, on this machine's loopback: relays lead to them."""

    def __init__(self) -> None:
        self._home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _called(_LIBC.unshare(_CLONE_NEWNET))
        self._namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _called(_LIBC.setns(self._home, _CLONE_NEWNET))
        self._relays: list[Relay] = []
        self._ip("link", "add", "hub", "address", _SERVERS_MAC, "type", "bridge")
        self._ip("address", "add", f"{SERVERS}/24", "dev", "hub")
        self._ip("link", "set", "hub", "up")

    def offer(self, port: int) -> None:
        """Let hosts reach the server on this port of this machine's loopback under the same port of SERVERS."""
        with self._inside():
            listener = socket.create_server((SERVERS, port))
        self._relays.append(Relay(connector(f"tcp://127.0.0.1:{port}"), listener=listener))

    def publish(self, port: int, number: int) -> None:
        """Let this machine reach a host's server under the same port of its loopback."""

        def connect() -> socket.socket:
            with self._inside():
                made = socket.create_connection((address(number), port), timeout=10)
            made.settimeout(None)
            return made

        self._relays.append(Relay(connect, listener=socket.create_server(("127.0.0.1", port))))

    def plug(self, number: int, pid: int) -> None:
        """Connect the host whose namespace the process `pid` is about to make."""
        ours = os.readlink("/proc/self/ns/net")
        wait_until(lambda: os.readlink(f"/proc/{pid}/ns/net") != ours, 60, "a host's namespace")
        self._ip("link", "add", f"port{number}", "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        self._ip("link", "set", f"port{number}", "master", "hub", "up")

    def swallow(self, number: int) -> None:
        """Cut that host off: no packet reaches it, none of its own arrives, and nobody learns of it."""
        self._ip("link", "set", f"port{number}", "down")

    def repair(self, number: int) -> None:
        self._ip("link", "set", f"port{number}", "up")

    def close(self) -> None:
        for relay in self._relays:
            relay.close()
        for namespace in (self._namespace, self._home):
            os.close(namespace)

    def _ip(self, *arguments: str) -> None:
        with self._inside():
            subprocess.run(["ip", *arguments], check=True)

    @contextmanager
    def _inside(self) -> Iterator[None]:
        """What this thread makes in there belongs to the switch's network, also afterwards."""
        _called(_LIBC.setns(self._namespace, _CLONE_NEWNET))
        try:
            yield
        finally:
            _called(_LIBC.setns(self._home, _CLONE_NEWNET))


def _called(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), "a call of the kernel failed")
