"""What a run found, for people; and the inputs themselves, for whoever repairs it."""

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.run import Tried

#: Of one kind so many are looked at again; they will be one fault.
_OF_A_KIND = 3
_ENOUGH_INPUTS = 4_000


@dataclass
class Report:
    """Counts as the results come. `findings` are those of every kind that are worth a second look."""

    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    findings: list[Tried] = field(default_factory=list)
    idle_bytes: list[int] = field(default_factory=list)
    _kinds: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, tried: Tried) -> None:
        self.outcomes[tried.recipe.format][tried.outcome] += 1
        if tried.idle_bytes:
            self.idle_bytes.append(tried.idle_bytes)
        kind = (tried.recipe.format, tried.outcome, tried.how)
        self._kinds[kind] += tried.is_finding
        if tried.is_finding and self._kinds[kind] <= _OF_A_KIND:
            self.findings.append(tried)

    @property
    def total(self) -> int:
        return sum(counts.total() for counts in self.outcomes.values())

    def count(self, *outcomes: str) -> int:
        return sum(counts[outcome] for counts in self.outcomes.values() for outcome in outcomes)

    def table(self) -> str:
        lines = []
        for name, counts in sorted(self.outcomes.items()):
            counted = ", ".join(f"{outcome} {count:,}" for outcome, count in counts.most_common())
            lines.append(f"{name:<7} {counts.total():>7,}  {counted}")
        return "\n".join(lines)

    def memory(self) -> str:
        """The memory of an idle decoder over the run: were it to grow, the last quarter would show it."""
        if not self.idle_bytes:
            return "memory of the idle decoder: cannot be seen on this system"
        first, last = self._quarter(0), self._quarter(3)
        most = max(self.idle_bytes)
        return "memory of the idle decoder: {:.0f} MB in the first quarter, {:.0f} in the last, {:.0f} at most".format(
            *(size / 1_048_576 for size in (first, last, most))
        )

    def memory_is_flat(self) -> bool:
        """Whether memory stays flat; always true of a short run: at first a decoder grows with every new format."""
        return len(self.idle_bytes) < _ENOUGH_INPUTS or self._quarter(3) < 1.25 * self._quarter(0)

    def _quarter(self, number: int) -> float:
        length = max(1, len(self.idle_bytes) // 4)
        part = self.idle_bytes[number * length : (number + 1) * length] or self.idle_bytes
        return sum(part) / len(part)


def save(found: Tried, folder: Path) -> str:
    """Keep the input in `folder`; gives its description."""
    data = found.recipe.make()
    sha256 = hashlib.sha256(data).hexdigest()
    folder.mkdir(exist_ok=True)
    (folder / sha256).write_bytes(data)
    lines = [f"{found.outcome}: {found.how}", f"  input {found.recipe}, {len(data)} bytes", f"  {sha256}"]
    lines += [f"  left behind: {name}" for name in found.left_behind]
    lines += [f"  | {line}" for line in found.log.splitlines()]
    return "\n".join(lines)
