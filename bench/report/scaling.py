"""What saturates first, and when: computed from what `python -m bench throughput` measured, for docs/scaling.md."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.parts.service.throughput import BACKENDS, KINDS, cost_of
from bench.pictures import SMALL, TWELVE
from bench.report import table
from bench.rows import Results
from gallimg_site.env import SLOTS_OF_A_PROCESS

_ALONE, _SHARED = BACKENDS
#: What an upload of each weighs.
_MB = {SMALL.name: 0.25, TWELVE.name: 9.6}
_GIGABIT_MB_S = 125.0
_A_DAY = 1_000_000
_PEAK = 3


@dataclass(frozen=True, slots=True)
class Part:
    """What a setup has of something: so many processors for these kinds of processes, or a network card."""

    name: str
    kinds: tuple[str, ...] = ()
    processors: float = 0

    def most(self, costs_ms: Mapping[str, float], picture: str) -> float:
        """Pictures a second that it can do, where nothing else is in the way."""
        if not self.kinds:
            return _GIGABIT_MB_S / _MB[picture]
        return 1000 * self.processors / sum(costs_ms[kind] for kind in self.kinds)


@dataclass(frozen=True, slots=True)
class Setup:
    """Parts that share the work. backend: that of the costs."""

    name: str
    backend: str
    parts: tuple[Part, ...]


_HERE = ("web", "worker", "decoder", "queue")
_CARD = Part("1 Gbit/s to the web process, or from it to S3")
#: A Python process computes on one processor at a time, however many slots it has; so does the queue's server.
_ONE_WEB, _QUEUE = Part("the web process", ("web",), 1), Part("the queue's one thread", ("queue",), 1)


def _workers(hosts: int, slots: int) -> Part:
    """Their processes, as `serve` shares the slots of each host out."""
    processes = hosts * -(-slots // SLOTS_OF_A_PROCESS)
    return Part("the worker process" if processes == 1 else "the worker processes", ("worker",), processes)


SETUPS = (
    Setup("a small VM: one processor", _ALONE, (Part("its processor", _HERE, 1), _CARD)),
    Setup("two processors", _ALONE, (Part("its processors", _HERE, 2), _ONE_WEB, _workers(1, 2), _CARD)),
    Setup(
        "a large host: 16 processors, PostgreSQL on it, S3 elsewhere",
        _SHARED,
        (
            Part("its processors", (*_HERE, "PostgreSQL"), 16),
            _ONE_WEB,
            _workers(1, 16),
            _QUEUE,
            _CARD,
        ),
    ),
    Setup(
        "ten worker hosts of 4 processors, one web process, PostgreSQL with 4 of its own",
        _SHARED,
        (
            Part("the workers' processors", ("worker", "decoder"), 40),
            _workers(10, 4),
            _ONE_WEB,
            Part("PostgreSQL's processors", ("PostgreSQL",), 4),
            _QUEUE,
            _CARD,
        ),
    ),
    Setup(
        "the same with direct uploads and four web processes",
        _SHARED,
        (
            Part("the workers' processors", ("worker", "decoder"), 40),
            _workers(10, 4),
            Part("the web processes", ("web",), 4),
            Part("PostgreSQL's processors", ("PostgreSQL",), 4),
            _QUEUE,
        ),
    ),
)


def costs_ms(results: Results, backend: str, picture: str) -> dict[str, float]:
    """Processor time of each kind of process for one picture. Empty where nobody has measured it."""
    measured = {(row.what, row.picture): row.measured.median for row in results.rows("throughput") if row.measured}
    named = {kind: measured.get((cost_of(backend, kind), picture)) for kind in KINDS.values()}
    return {kind: cost for kind, cost in named.items() if cost is not None}


def markdown(results: Results) -> str:
    """Return three tables: costs, what saturates first, and what a million uploads a day take."""
    tables = (
        table.lines(("processor time for each picture", *_columns()), _costs(results)),
        table.lines(("setup", "picture", "saturates first", "at", "next"), _limits(results)),
        table.lines((f"{_A_DAY:,} uploads a day take", *_million_columns()), _million(results)),
    )
    return "\n\n".join("\n".join(lines) for lines in tables) + "\n"


def _columns() -> list[str]:
    return [f"{picture}, {backend}" for backend in BACKENDS for picture in _MB]


def _costs(results: Results) -> Iterator[tuple[str, ...]]:
    costs = [costs_ms(results, backend, picture) for backend in BACKENDS for picture in _MB]
    for kind in KINDS.values():
        yield kind, *(f"{table.number(one[kind])} ms" if kind in one else "–" for one in costs)


def _limits(results: Results) -> Iterator[tuple[str, ...]]:
    for setup in SETUPS:
        for picture in _MB:
            if not (costs := costs_ms(results, setup.backend, picture)):
                continue
            first, *rest = sorted((part.most(costs, picture), part.name) for part in setup.parts)
            after = f"{rest[0][1]}, at {_rate(rest[0][0])}" if rest else "–"
            yield setup.name, picture, first[1], f"{_rate(first[0])}, {3600 * first[0]:,.0f} an hour", after


def _rate(pictures_s: float) -> str:
    return f"{table.number(pictures_s)}/s"


def _million_columns() -> list[str]:
    return [f"{picture}, {when}" for picture in _MB for when in ("on average", f"{_PEAK} times as many at the peak")]


def _million(results: Results) -> Iterator[tuple[str, ...]]:
    rates = [(picture, times * _A_DAY / 86_400) for picture in _MB for times in (1, _PEAK)]
    costs = {picture: costs_ms(results, _SHARED, picture) for picture in _MB}
    yield "pictures a second", *(table.number(rate) for _, rate in rates)
    for kind in KINDS.values():
        if kind != "SeaweedFS" and all(kind in found for found in costs.values()):
            busy = (costs[picture][kind] * rate / 1000 for picture, rate in rates)
            yield f"processors for {kind}", *map(table.number, busy)
    yield "bytes that come in, Gbit/s", *(table.number(rate * _MB[picture] * 8 / 1000) for picture, rate in rates)
