"""The corpus is rendered or refused as its manifest says, and what was made of it carries nothing but rights."""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.corpus import manifest
from tests.corpus.carried import beyond_rights, tags_below
from tests.corpus.judge import Verdict
from tests.corpus.payloads import windows
from tests.corpus.run import complaints, folder_of, last_line, run

CORPUS = os.environ.get("CORPUS", "")

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not CORPUS, reason="CORPUS is not set: a directory with a manifest.csv and the files it names"),
]


class Results(NamedTuple):
    verdicts: list[Verdict]
    folder: Path

    @property
    def made(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.outputs]

    def bytes_of(self, verdict: Verdict) -> dict[str, bytes]:
        """The derivatives of one file."""
        folder = folder_of(verdict.entry, self.folder)
        return {output.file: (folder / output.file).read_bytes() for output in verdict.outputs}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("corpus")
    return Results(list(run(manifest.read(Path(CORPUS)), folder)), folder)


def test_every_file_is_rendered_or_refused_as_the_manifest_says(results: Results) -> None:
    print(last_line(results.verdicts))
    assert results.made
    assert complaints(results.verdicts) == []


@pytest.mark.skipif(not shutil.which("exiftool"), reason="needs exiftool: apt install libimage-exiftool-perl")
def test_derivatives_carry_nothing_but_rights_and_are_the_size_that_was_reported(results: Results) -> None:
    tags = tags_below(results.folder / "outputs")
    wrong = {str(path): leak for path, found in tags.items() if (leak := beyond_rights(found))}
    for verdict in results.made:
        for output in verdict.outputs:
            path = folder_of(verdict.entry, results.folder) / output.file
            stated = f"{output.width_px}x{output.height_px}"
            if tags[path]["Composite:ImageSize"] != stated:
                wrong[str(path)] = {"stated": stated, "is": tags[path]["Composite:ImageSize"]}
    assert wrong == {}


def test_nothing_that_lies_behind_a_picture_survives(results: Results) -> None:
    hidden = {verdict.entry: windows(verdict.entry.path.read_bytes()) for verdict in results.made}
    assert any(hidden.values())
    survivors = [
        f"{verdict.entry.name}: {name}"
        for verdict in results.made
        for name, data in results.bytes_of(verdict).items()
        if b"<?php" in data or any(window in data for window in hidden[verdict.entry])
    ]
    assert survivors == []
