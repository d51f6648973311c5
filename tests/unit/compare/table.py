"""The measured pairs behind the judge's limits: `python -m tests.unit.compare.table FOLDER`, of a folder's pictures.

Each picture is made smaller well, and in every way of `changes`, once as ours and once as theirs. Of each way it prints
how often it was found, and the extremes of what was measured of it.
"""

import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from math import hypot
from pathlib import Path

import pyvips

from media_jobs import errors
from media_jobs.pipeline.compare.judge import judge_pair
from media_jobs.pipeline.compare.measuring import measure
from media_jobs.pipeline.compare.values import CompareRequest, Look, PairRequest, SizeJudgement
from media_jobs.pipeline.decode import decode
from media_jobs.pipeline.probe import probe
from media_jobs.pipeline.values import Limits
from tests.unit.compare import changes

SIZES_PX = (300, 800, 1200, 2000)
_LEAST_PX = 640


def main(folder: Path) -> None:
    table = Table()
    for path, image in pictures(folder):
        for width_px in (size for size in SIZES_PX if size <= image.width):
            table.add(path, image, width_px)
    table.print()


def pictures(folder: Path) -> Iterator[tuple[Path, pyvips.Image]]:
    """Those that are large enough, upright in sRGB."""
    for path in sorted(folder.iterdir()):
        try:
            with probe(path, Limits()) as found:
                if min(found.displayed_px) < _LEAST_PX or found.transparent:
                    continue
                image = decode(found, found.displayed_px, Limits())
        except (errors.MediaError, OSError):
            continue
        if image.bands == 3:
            yield path, image


class Table:
    """What was found, by the change."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Counter[str]] = defaultdict(Counter)
        self.looks: dict[str, list[Look]] = defaultdict(list)
        self.missed: list[str] = []

    def add(self, path: Path, image: pyvips.Image, width_px: int) -> None:
        with tempfile.TemporaryDirectory() as work:
            made = {name: change(image, width_px) for name, change in (changes.HARMLESS | changes.HARMFUL).items()}
            plain = {"legacy": changes.legacy(image, width_px), "ours": changes.ours(image, width_px)}
            for side in ("ours", "legacy"):
                asked = list(_requests(Path(work), made, plain, side, width_px))
                measures = measure(CompareRequest(str(path), tuple(asked)))
                for pair in measures.pairs:
                    look = pair.ours if side == "ours" else pair.legacy
                    if look:
                        self._count(pair.name, side, judge_pair(pair, measures), look, f"{path.name} {width_px}")

    def _count(self, name: str, side: str, judged: SizeJudgement, look: Look, where: str) -> None:
        self.verdicts[f"{name} ({side})"][f"{judged.verdict} {judged.reason}"] += 1
        self.looks[name].append(look)
        fine = judged.verdict in ("same", "better") if side == "ours" else judged.verdict in ("worse", "different")
        if name in changes.HARMFUL and (fine or (side == "legacy" and judged.reason in ("alike", "smaller"))):
            self.missed.append(f"{name}, {side}: {where} {judged.verdict} {judged.reason} {look}")
        if name in changes.HARMLESS and judged.verdict in ("worse", "different"):
            self.missed.append(f"{name}, {side}: {where} {judged.verdict} {judged.reason} {look}")

    def print(self) -> None:
        print("| change | pairs | 1 - SSIM, less noise | detail | vividness | ΔE | part ΔE | moved, px |")
        print("|---|---|---|---|---|---|---|---|")
        for name, looks in self.looks.items():
            columns = (
                _extremes([max(0.0, 1 - look.ssim - look.noise) for look in looks], 3),
                _extremes([look.detail for look in looks], 2),
                _extremes([look.vividness for look in looks], 2),
                _extremes([look.delta_e for look in looks], 1),
                _extremes([look.part_delta_e for look in looks], 1),
                _extremes([hypot(*look.moved_px) for look in looks], 2),
            )
            print(f"| {name} | {len(looks)} | {' | '.join(columns)} |")
        print()
        for name, verdicts in self.verdicts.items():
            print(f"{name}: " + ", ".join(f"{word} {count}" for word, count in verdicts.most_common()))
        print(f"\n{len(self.missed)} judged wrongly")
        print("\n".join(self.missed))


def _requests(
    work: Path, made: dict[str, bytes], plain: dict[str, bytes], side: str, width_px: int
) -> Iterator[PairRequest]:
    other = "legacy" if side == "ours" else "ours"
    (work / other).write_bytes(plain[other])
    for at, (name, data) in enumerate(made.items()):
        changed = work / f"{side}-{at}"
        changed.write_bytes(data)
        files = {side: str(changed), other: str(work / other)}
        yield PairRequest(name, width_px, files["legacy"], files["ours"])


def _extremes(values: list[float], digits: int) -> str:
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2]
    return " … ".join(f"{value:.{digits}f}" for value in (ordered[0], middle, ordered[-1]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
