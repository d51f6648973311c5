"""Every expected failure says what it is: a code, who is to blame, and a sentence that its callers can fill."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import media_jobs
from media_jobs.errors import ImageRefused, MediaError, TooManyPixels, Undecodable, refused
from tests import failures

PACKAGE = Path(media_jobs.__file__).parent
KINDS = {kind.__name__: kind for kind in failures.expected()}


def stated(kind: type[MediaError], name: str) -> bool:
    """Whether the class or a parent of its kind, but not the base of all, says so."""
    return any(name in vars(parent) for parent in kind.__mro__ if parent not in MediaError.__mro__)


@pytest.mark.parametrize("kind", KINDS.values())
def test_each_has_a_code_and_somebody_to_blame(kind: type[MediaError]) -> None:
    assert stated(kind, "code")
    assert stated(kind, "blame")


@pytest.mark.parametrize("kind", ImageRefused.__subclasses__())
def test_a_refusal_of_the_sandbox_is_the_same_over_here(kind: type[ImageRefused]) -> None:
    error = refused(kind.code, "With {braces}.")
    assert type(error) is kind
    assert str(error) == "With {braces}."


def test_sentences_are_filled_in() -> None:
    assert str(TooManyPixels(pixels=2_000, limit=1_000)) == "The picture has 2,000 pixels; at most 1,000 are allowed."
    assert str(Undecodable()) == Undecodable.sentence


def raised() -> Iterator[tuple[str, ast.Call]]:
    """Each place of the product that makes an error whose sentence it fills itself."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in KINDS and KINDS[name].__init__ is MediaError.__init__:
                    yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node


def test_callers_give_what_the_sentences_want() -> None:
    calls = list(raised())
    assert len(calls) > 20
    for where, call in calls:
        kind = KINDS[getattr(call.func, "attr", getattr(call.func, "id", ""))]
        fields = [field for _, field, _, _ in string.Formatter().parse(kind.sentence) if field is not None]
        given = ["" for _ in call.args] + [keyword.arg for keyword in call.keywords]
        assert (where, sorted(map(str, given))) == (where, sorted(fields))
