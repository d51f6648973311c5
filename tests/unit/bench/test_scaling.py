"""What saturates first follows from what each picture costs."""

from bench.measure import Spread
from bench.parts.service.throughput import BACKENDS, KINDS, cost_of
from bench.pictures import SMALL, TWELVE
from bench.report import scaling
from bench.rows import Results, Row, Run


def measured(**costs_ms: float) -> Results:
    rows = tuple(
        Row("throughput", cost_of(backend, kind), picture.name, "ms", Spread.of([costs_ms.get(kind, 1.0)]))
        for backend in BACKENDS
        for picture in (SMALL, TWELVE)
        for kind in KINDS.values()
    )
    return Results({"throughput": Run("2026-11-30", 0.0, {}, rows)})


def limit(results: Results, setup: str, picture: str) -> list[str]:
    lines = [line.split(" | ") for line in scaling.markdown(results).splitlines()]
    return next(cells[2:] for cells in lines if cells[0].startswith(f"| {setup}") and cells[1] == picture)


def test_one_processor_does_what_all_processes_together_take_of_it():
    costs = measured(web=10, worker=20, decoder=65, queue=5)
    card = "1 Gbit/s to the web process, or from it to S3, at 500/s |"
    assert limit(costs, "a small VM", "0.3 MP") == ["its processor", "10.0/s, 36,000 an hour", card]


def test_what_many_hosts_have_too_little_of_is_found():
    costs = measured(web=1, worker=10, decoder=90)
    first, at, following = limit(costs, "ten worker hosts", TWELVE.name)
    assert (first, at) == ("1 Gbit/s to the web process, or from it to S3", "13.0/s, 46,875 an hour")
    assert following == "the workers' processors, at 400/s |"
    assert limit(costs, "the same with direct uploads", TWELVE.name)[0] == "the workers' processors"


def test_the_slots_of_a_large_host_share_as_many_processes_as_it_starts():
    costs = measured(web=1, worker=20, decoder=20)
    assert limit(costs, "a large host", "0.3 MP")[:2] == ["the worker processes", "200/s, 720,000 an hour"]


def test_what_nobody_has_measured_saturates_nowhere():
    assert "an hour" not in scaling.markdown(Results({}))
