"""How a child of the bench is asked: a question as JSON in a line, its answer in the next."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any


def answer_each(answer: Callable[[dict[str, Any]], object]) -> None:
    """Answer each line of standard input until it ends."""
    wire = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed is no answer
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=wire, flush=True)


def answer_of_bed(make: Callable[..., Any]) -> None:
    """Answer `{"fill": numbers}`, which makes a bed of them, and `{"measure": name, "times": times}` about it."""
    bed: Any = None

    def answer(question: dict[str, Any]) -> object:
        nonlocal bed
        match question:
            case {"fill": numbers}:
                bed = make(**numbers)
                return []
            case {"measure": name, "times": times}:
                return [bed.measure(name) for _ in range(times)]
        raise ValueError(question)

    answer_each(answer)
