"""What a decoder can be asked, and how its answer is read by a process that does not trust it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from media_jobs import errors
from media_jobs.adapters.decoder.pipes import printable
from media_jobs.pipeline.compare.believing import believed
from media_jobs.pipeline.compare.values import CompareRequest, Measures
from media_jobs.pipeline.values import Rendered, Request
from media_jobs.pipeline.verify import collect, verify

#: Characters of what a child may say to a person.
_MAX_CHARACTERS = 500

T_co = TypeVar("T_co", covariant=True)


class Question(Protocol[T_co]):
    """One request to a child.

    compares: it needs a child that has room for scikit-image. outputs: how many it is told of, one by one.
    sources: the files that it is about. folders: where this process writes what comes out. may_grow_bytes: how much
    memory of its own the child gets for it, beyond what it has; None: as much as its limit allows.
    """

    @property
    def compares(self) -> bool: ...
    @property
    def outputs(self) -> int: ...
    @property
    def sources(self) -> list[Path]: ...
    @property
    def folders(self) -> list[Path]: ...
    @property
    def may_grow_bytes(self) -> int | None: ...

    def on_output(self, done: int, of: int) -> None:
        """Hear how far it is."""

    def to_json(self, folder: Path) -> dict[str, Any]:
        """The request to a child that may write in `folder`."""

    def outcome(self, answer: Any, folder: Path) -> T_co | errors.MediaError | errors.NeedsRoom:
        """What the child says. Raises what an answer that makes no sense raises, unless it can be believed."""


@dataclass(frozen=True, slots=True)
class RenderQuestion:
    """Outputs are copied from the child's folder to the request's, once they are found to be what the child says."""

    request: Request
    hear: Callable[[int, int], None]
    may_grow_bytes: int | None = None
    compares: bool = False

    @property
    def outputs(self) -> int:
        return len(self.request.preset.renditions)

    @property
    def sources(self) -> list[Path]:
        return [Path(self.request.source)]

    @property
    def folders(self) -> list[Path]:
        return [Path(self.request.into)]

    def on_output(self, done: int, of: int) -> None:
        self.hear(done, of)

    def to_json(self, folder: Path) -> dict[str, Any]:
        return replace(self.request, into=str(folder)).to_json()

    def outcome(self, answer: Any, folder: Path) -> Rendered | errors.MediaError | errors.NeedsRoom:
        if "needs" in answer:
            return self._need(answer["needs"])
        if "done" not in answer:
            return _refusal(answer)
        rendered = Rendered.from_json(answer["done"])
        verify(rendered, self.request)
        for output in rendered.outputs:
            collect(output, folder, Path(self.request.into))
        return rendered

    def _need(self, grown_bytes: Any) -> errors.NeedsRoom:
        """Raises ValueError where it asks for what it has, or for what nobody gets."""
        limits = self.request.limits
        room = limits.memory_bytes if limits.room_bytes is None else limits.room_bytes
        if not isinstance(grown_bytes, int) or not room < grown_bytes <= limits.memory_bytes:
            raise ValueError("no believable need")
        return errors.NeedsRoom(grown_bytes)


@dataclass(frozen=True, slots=True)
class CompareQuestion:
    """Nothing comes out but numbers."""

    request: CompareRequest
    compares: bool = True
    outputs: int = 0
    may_grow_bytes: None = None

    @property
    def sources(self) -> list[Path]:
        paths = (path for pair in self.request.pairs for path in (pair.legacy, pair.ours))
        return [Path(self.request.original), *(Path(path) for path in paths if path)]

    @property
    def folders(self) -> list[Path]:
        return []

    def on_output(self, done: int, of: int) -> None: ...

    def to_json(self, folder: Path) -> dict[str, Any]:
        return self.request.to_json()

    def outcome(self, answer: Any, folder: Path) -> Measures | errors.MediaError:
        if "done" not in answer:
            return _refusal(answer)
        return believed(Measures.from_json(answer["done"]), self.request)


def _refusal(answer: Any) -> errors.MediaError:
    """Why there is nothing. Raises ValueError where the answer is none that is known."""
    match answer:
        case {"refused": {"code": str(code), "sentence": str(sentence)}}:
            return errors.refused(code, _one_line(sentence))
        case {"lacks": errors.WorkspaceFull.code}:
            return errors.WorkspaceFull()
        case {"lacks": errors.ComparingNotInstalled.code}:
            return errors.ComparingNotInstalled()
        case {"failed": str(how)}:
            return errors.DecoderFailed(_one_line(how))
    raise ValueError("no known answer")


def _one_line(text: str) -> str:
    return printable(" ".join(text[:_MAX_CHARACTERS].split()))
