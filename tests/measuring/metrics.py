"""Reads what `/metrics` answers."""

from prometheus_client.parser import text_string_to_metric_families

#: Of each sample, by its name and labels as Prometheus writes them, such as `jobs_total{status="done"}`.
Samples = dict[str, float]


def parse(text: str) -> Samples:
    """Return all samples; a text that is no exposition raises ValueError."""
    return {
        _name(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _name(name: str, labels: dict[str, str]) -> str:
    inner = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{inner}}}" if inner else name


def counters(samples: Samples) -> Samples:
    """Return those that must never fall."""
    return {name: value for name, value in samples.items() if _is_counter(name)}


def fallen(before: Samples, after: Samples) -> dict[str, tuple[float, float | None]]:
    """Return the counters that are lower now, or gone."""
    was = counters(before)
    return {name: (was[name], after.get(name)) for name in was if after.get(name, -1) < was[name]}


def _is_counter(name: str) -> bool:
    bare = name.partition("{")[0]
    return bare.endswith(("_total", "_bucket", "_count", "_seconds_sum"))
