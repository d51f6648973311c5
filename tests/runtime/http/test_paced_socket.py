"""A thread waits for a client no longer than its pace allows, and for its answer to be taken not at all."""

import threading
import time

import pytest

from media_jobs.runtime.http.pace import Pace
from media_jobs.runtime.http.paced_socket import HELD_BYTES
from tests.runtime.http.pairs import LIMIT_S, pair, until


def test_who_sends_nothing_ends_the_wait(stack):
    ours, _ = pair(stack)
    ours.begin(Pace(0.05, 1e9))
    with pytest.raises(TimeoutError):
        ours.recv(10)


def test_each_byte_gives_more_time_and_no_byte_begins_it_anew(stack):
    ours, theirs = pair(stack)
    ours.begin(Pace(0.05, 1e9))
    stop = threading.Event()
    trickling = threading.Thread(target=lambda: [theirs.send(b"x") for _ in iter(lambda: stop.wait(0.01), True)])
    trickling.start()
    try:
        with pytest.raises(TimeoutError):
            all(ours.recv(10) for _ in range(1000))  # ten seconds, were each wait a new one
    finally:
        stop.set()
        trickling.join()
    ours, theirs = pair(stack)  # where nothing is left to be read
    theirs.sendall(bytes(1000))
    ours.begin(Pace(0.0, 100.0))
    received = 0
    while received < 1000:
        received += len(ours.recv(1000))
    threading.Timer(0.2, theirs.sendall, (b"late",)).start()
    assert ours.recv(10) == b"late"  # a thousand bytes are ten seconds


def test_on_the_event_loop_it_does_not_wait(stack):
    ours, _ = pair(stack)
    with pytest.raises(BlockingIOError):
        ours.recv(10)


def test_what_is_not_taken_is_kept_for_the_sender(stack):
    ours, _ = pair(stack)
    ours.begin(Pace(LIMIT_S, 1e9))
    ours.sendall(bytes(HELD_BYTES))
    assert ours.has_unsent


def test_more_than_is_kept_waits_for_the_client_and_gives_up_with_it(stack):
    ours, _ = pair(stack)
    ours.begin(Pace(0.05, 1e9))
    with pytest.raises(TimeoutError):
        ours.sendall(bytes(10 * HELD_BYTES))


def test_a_client_that_is_cut_off_ends_the_wait_of_its_thread(stack):
    ours, _ = pair(stack)
    ours.begin(Pace(LIMIT_S, 1e9))
    raised: list[BaseException] = []

    def read() -> None:
        try:
            ours.recv(10)
        except TimeoutError as error:
            raised.append(error)

    reading = threading.Thread(target=read)
    reading.start()
    until(ours.dawdles)
    ours.cut_off()
    reading.join(LIMIT_S)
    assert raised


def test_who_is_waited_for_dawdles_and_who_sends_does_not(stack):
    ours, theirs = pair(stack)
    ours.begin(Pace(LIMIT_S, 1e9))
    assert not ours.dawdles()

    def send_late() -> None:
        until(ours.dawdles)
        time.sleep(0.05)  # the byte that is read first makes up for less
        theirs.sendall(bytes(100_000))

    threading.Thread(target=send_late).start()
    received = len(ours.recv(1))
    assert ours.dawdles()
    while received < 100_000:
        received += len(ours.recv(65_536))
    assert not ours.dawdles()
