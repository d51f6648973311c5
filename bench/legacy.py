"""The pictures that the site makes by itself, before the cut-over: `peers/legacy.mjs`, written into a folder.

`python -m bench.legacy ORIGINAL FOLDER KEY…` makes those of one original, under keys like gall/oak/oak_1_original.jpg.
"""

import argparse
from pathlib import Path

from bench import node
from bench.measure import Peer


class Legacy(Peer):
    """The site's own code. It writes the original and its siblings _small, _medium, _large and _xlarge."""

    def __init__(self) -> None:
        """Raises node.NotInstalled."""
        node.prepare()
        super().__init__("legacy")

    def write(self, original: Path, folder: Path, key: str, *, as_stored: bool = False) -> list[tuple[int, int]]:
        """Width and height of each size, from small to xlarge. Raises PeerFailed.

        as_stored: whether the orientation that the file names is ignored. Jimp itself minds that of a JPEG.
        """
        question = {"original": str(original.resolve()), "folder": str(folder.resolve()), "key": key}
        reply = self._exchange({**question, "as_stored": as_stored})
        return [(width, height) for width, height in reply["outputs_px"]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.legacy", description=__doc__)
    parser.add_argument("original", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("keys", nargs="+", metavar="key")
    asked = parser.parse_args()
    with Legacy() as legacy:
        for key in asked.keys:
            sizes = legacy.write(asked.original, asked.folder, key)
            print(key, *(f"{width}×{height}" for width, height in sizes))


if __name__ == "__main__":
    main()
