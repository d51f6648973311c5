"""What became of a file of the corpus, against what its manifest says."""

from dataclasses import dataclass, replace
from enum import StrEnum

from media_jobs import errors
from media_jobs.pipeline.recipes import GALLFORMERS, INGEST, Chroma, Crop, Fit, Format, Preset, Rendition
from media_jobs.pipeline.values import Output, Rendered
from tests.corpus.manifest import Entry, Expected

#: The shipped presets, and small renditions that between them use every format and every fit.
PRESET = Preset(
    "corpus",
    (
        *GALLFORMERS.renditions,
        *(rendition for rendition in INGEST.renditions if rendition.format is Format.WEBP),
        Rendition("source", 384, format=Format.SOURCE),
        Rendition("auto", 320, Fit.WIDTH, Format.AUTO, quality=90, chroma=Chroma.FULL),
        Rendition("avif", 256, format=Format.AVIF, quality=50, effort=0),
        Rendition("png", 128, Fit.COVER, Format.PNG, crop=Crop.ATTENTION),
    ),
)


class Outcome(StrEnum):
    OK = "ok"
    REFUSED = "refused"
    WRONG = "wrong"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`complaint` is empty unless the outcome is WRONG or CRASHED."""

    entry: Entry
    outcome: Outcome
    complaint: str = ""
    outputs: tuple[Output, ...] = ()


def rendered(entry: Entry, result: Rendered) -> Verdict:
    verdict = Verdict(entry, Outcome.OK, outputs=result.outputs)
    if entry.expected is Expected.REJECT:
        return replace(verdict, outcome=Outcome.WRONG, complaint="rendered, ought to be refused")
    complaint = _wrong_shape(entry, result) if entry.expected is Expected.OK else ""
    return replace(verdict, outcome=Outcome.WRONG, complaint=complaint) if complaint else verdict


def failed(entry: Entry, error: errors.MediaError) -> Verdict:
    said = f"{error.code}: {error}"
    if not isinstance(error, errors.ImageRefused):
        return Verdict(entry, Outcome.CRASHED, said)
    if entry.expected is Expected.OK or isinstance(error, errors.PrivacyLeak):
        return Verdict(entry, Outcome.WRONG, said)
    return Verdict(entry, Outcome.REFUSED)


def _wrong_shape(entry: Entry, result: Rendered) -> str:
    size_px = (result.width_px, result.height_px)
    if entry.size_px and size_px != entry.size_px:
        return "is {}×{}, ought to be {}×{}".format(*size_px, *entry.size_px)
    if entry.orientation and result.orientation != entry.orientation:
        return f"has orientation {result.orientation}, ought to have {entry.orientation}"
    for output, rendition in zip(result.outputs, PRESET.renditions, strict=True):
        if not _fits(output, rendition, size_px):
            return f"{output.file} is {output.width_px}×{output.height_px}, of {size_px[0]}×{size_px[1]}"
    return ""


def _fits(output: Output, rendition: Rendition, size_px: tuple[int, int]) -> bool:
    width_px, height_px = size_px
    if rendition.fit is Fit.COVER:
        side_px = min(rendition.side_px, width_px, height_px)
        return (output.width_px, output.height_px) == (side_px, side_px)
    scale = min(1.0, rendition.side_px / (width_px if rendition.fit is Fit.WIDTH else max(size_px)))
    return all(
        abs(got - max(1, wanted * scale)) <= 0.5
        for got, wanted in ((output.width_px, width_px), (output.height_px, height_px))
    )
