"""NOTICE names what is installed beside our code: packages under copyleft licences, libraries within packages."""

import importlib.metadata
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import pyvips

ROOT = Path(__file__).resolve().parents[2]
NOTICE = (ROOT / "NOTICE").read_text()
COPYLEFT = re.compile(r"\b(L?GPL|AGPL|MPL|EPL|CDDL)|General Public|Mozilla")
#: What libvips can do, by one of its operations, and whose work that is.
BY_OPERATION = {
    "heifload": "libheif",
    "svgload": "librsvg",
    "tiffload": "libtiff",
    "webpload": "libwebp",
    "gifload": "libnsgif",
    "gifsave": "cgif",
    "uhdrload": "libultrahdr",
    "text": "pango",
    "icc_transform": "lcms",
    "jxlload": "libjxl",
    "pdfload": "pdfium",
    "jp2kload": "openjpeg",
    "openexrload": "OpenEXR",
    "openslideload": "openslide",
    "magickload": "ImageMagick",
    "niftiload": "nifti",
    "fitsload": "cfitsio",
    "matload": "matio",
}


def shipped() -> Iterator[importlib.metadata.Distribution]:
    """The packages that a service is installed with, as far as they are wanted on this platform."""
    for name in re.findall(r"^([a-z0-9._-]+)(?:\[.*?\])?==", (ROOT / "requirements.txt").read_text(), re.MULTILINE):
        try:
            yield importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue


def name_of(package: importlib.metadata.Distribution) -> str:
    return package.name.lower().replace("_", "-")


def libraries(package: importlib.metadata.Distribution) -> set[str]:
    """The names of the shared libraries that a package brings, without versions and hashes."""
    found = (Path(file).name for file in package.files or () if ".so" in str(file))
    return {re.sub(r"(-[0-9a-f]{6,}|[-.]\d[\d.]*)*\.so.*", "", name) for name in found if name.startswith("lib")}


def test_every_package_under_a_copyleft_licence_is_named() -> None:
    packages = list(shipped())
    assert len(packages) > 40
    for package in packages:
        said = [*(package.metadata.get_all("License-Expression") or ()), *(package.metadata.get_all("License") or ())]
        classifiers = [text for text in package.metadata.get_all("Classifier") or () if text.startswith("License")]
        if COPYLEFT.search(" ".join([*(text[:100] for text in said), *classifiers])):
            assert re.search(rf"^{name_of(package)}\b", NOTICE, re.MULTILINE), package.name


def test_every_library_within_a_package_is_named_with_it() -> None:
    table = NOTICE.partition("Shared libraries within other packages")[2].partition("certifi (MPL")[0]
    named = dict(re.findall(r"^    ([a-z-]+) {3,}(.*(?:\n {20,}.*)*)", table, re.MULTILINE))
    brought = {name_of(package): found for package in shipped() if (found := libraries(package))}
    assert {"pyvips-binary", "rawpy", "pillow"} <= set(brought)
    missing = {f"{name}: {one}" for name, found in brought.items() for one in found if one not in named.get(name, "")}
    assert missing == set()


@pytest.mark.parametrize("operation", BY_OPERATION)
def test_what_libvips_was_built_from_is_named(operation: str) -> None:
    library = BY_OPERATION[operation]
    there = pyvips.type_find("VipsOperation", operation) != 0
    assert bool(re.search(rf"^    {library} ", NOTICE, re.MULTILINE)) is there


def test_the_texts_of_the_licences_are_whole() -> None:
    for text in (
        "GNU LESSER GENERAL PUBLIC LICENSE\n                       Version 2.1, February 1999",
        "END OF TERMS AND CONDITIONS",
        "GNU LESSER GENERAL PUBLIC LICENSE\n                       Version 3, 29 June 2007",
        "permanent authorization for you to choose that version for the\nLibrary",
    ):
        assert text in NOTICE, text
    for section in range(17):  # of the LGPL 2.1
        assert re.search(rf"^  {section}\. ", NOTICE, re.MULTILINE) or section == 0, section
