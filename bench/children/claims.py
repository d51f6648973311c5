"""A process that claims jobs as a worker does, by the code of the checkout that BUILD names.

{"fill": 100000}            so many queued jobs in an empty database
{"claim": 250}              claims so many of them
"""
# ruff: noqa: E402 - Django's models can be imported only when it is set up

import os
import sys
from typing import Any

import django

sys.path.insert(0, os.environ["BUILD"])  # `bench` is loaded already, and remains this checkout's
django.setup()

from bench.children import scale_data
from bench.children.lines import answer_each
from media_jobs.services.jobs.claiming import claim_next
from media_jobs.services.jobs.worker import Worker
from media_jobs.states import Lane


def main() -> None:
    worker = Worker()

    def answer(question: dict[str, Any]) -> object:
        match question:
            case {"fill": queued}:
                scale_data.fill(done=0, queued=queued)
            case {"claim": count}:
                assert all(claim_next(Lane.INTERACTIVE, worker) for _ in range(count))
            case _:
                raise ValueError(question)
        return []

    answer_each(answer)


if __name__ == "__main__":
    main()
