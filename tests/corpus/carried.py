"""What finished files carry besides their pixels, as exiftool tells."""

import json
import subprocess
from pathlib import Path
from typing import Any

_FILES_AT_ONCE = 500

#: Of the file system, and what exiftool says of itself or works out.
_OF_NO_FILE = {"System", "ExifTool"}
#: What a decoder needs to know.
_STRUCTURE = {
    "File": {
        "FileType", "FileTypeExtension", "MIMEType", "ExifByteOrder", "ImageWidth", "ImageHeight", "EncodingProcess",
        "BitsPerSample", "ColorComponents", "YCbCrSubSampling",
    },
    "Composite": {"ImageSize", "Megapixels"},
    "PNG": {"ImageWidth", "ImageHeight", "BitDepth", "ColorType", "Compression", "Filter", "Interlace"},
    "RIFF": {
        "ImageWidth", "ImageHeight", "VP8Version", "HorizontalScale", "VerticalScale", "WebP_Flags",
        "AlphaPreprocessing", "AlphaFiltering", "AlphaCompression", "AlphaIsUsed",
    },
    "QuickTime": {
        "MajorBrand", "MinorVersion", "CompatibleBrands", "HandlerType", "MediaDataSize", "MediaDataOffset",
        "ImageSpatialExtent", "ImagePixelDepth", "AV1ConfigurationVersion", "ChromaFormat", "ChromaSamplePosition",
        "AuxiliaryImageType",
    },
    "Meta": {"PrimaryItemReference"},
}  # fmt: skip
RIGHTS = {
    "IFD0": {"Artist", "Copyright"},
    "XMP-dc": {"Creator", "Rights"},
    "XMP-photoshop": {"Credit"},
    "XMP-xmpRights": {"WebStatement"},
    "XMP-iptcExt": {"DigitalSourceType"},
}


def tags_below(folder: Path) -> dict[Path, dict[str, Any]]:
    """All that exiftool finds in the files below `folder`: `{file: {"Group:Name": value}}`."""
    files = sorted(str(path) for path in folder.rglob("*") if path.is_file())
    found: dict[Path, dict[str, Any]] = {}
    for at in range(0, len(files), _FILES_AT_ONCE):
        command = ["exiftool", "-json", "-a", "-G1", "-struct", "-@", "-"]
        names = "\n".join(files[at : at + _FILES_AT_ONCE])
        answer = subprocess.run(command, input=names, capture_output=True, text=True, timeout=300, check=False)
        for tags in json.loads(answer.stdout or "[]"):
            found[Path(tags.pop("SourceFile"))] = tags
    if len(found) != len(files):
        raise AssertionError(f"exiftool read {len(found)} of {len(files)} files")
    return found


def beyond_rights(tags: dict[str, Any]) -> dict[str, Any]:
    """What a published file must not carry."""
    return {name: value for name, value in tags.items() if not _is_allowed(*name.split(":", 1))}


def _is_allowed(group: str, name: str) -> bool:
    if group in _OF_NO_FILE:
        return name not in ("Warning", "Error")
    return name in _STRUCTURE.get(group, ()) or name in RIGHTS.get(group, ())
