"""Numbers that commands take: what else is given is refused with what would do."""

from argparse import ArgumentTypeError

import pytest
from django.core.management import CommandError, call_command

from media_jobs.management import numbers


@pytest.mark.parametrize("text", ["0", "-1", "65", "1.5", "two", "", "٢", " 1"])
def test_a_number_of_workers_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="takes a number from 1 to 64"):
        numbers.workers(text)


def test_the_slots_of_a_worker_are_such_a_number() -> None:
    with pytest.raises(CommandError, match="--slots: '100': takes a number from 1 to 64"):
        call_command("worker", "--slots", "100")


def test_what_will_do_is_taken() -> None:
    assert (numbers.workers("1"), numbers.workers("64"), numbers.count("65")) == (1, 64, 65)
