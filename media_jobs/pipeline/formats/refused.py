"""Names what a file is that is not accepted, in plain words, by its first bytes. Stdlib only."""

_KNOWN = (
    (b"\0MRM", "a Minolta MRW raw file"),
    (b"FOVb", "a Sigma X3F raw file"),
    (b"II\x1a\0\0\0HEAPCCDR", "a Canon CRW raw file"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"II\xbc\x01", "a JPEG XR picture"),
    (b"8BPS", "a Photoshop file"),
    (b"gimp xcf", "a GIMP file"),
    (b"\0\0\x01\0", "an icon file (ICO)"),
    (b"\0\0\x02\0", "a cursor file (CUR)"),
    (b"\x8aMNG", "an MNG animation"),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile (WMF)"),
    (b"%!", "a PostScript document"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript document (EPS)"),
    (b"AT&TFORM", "a DjVu document"),
    (b"{\\rtf", "an RTF document"),
    (b"\xd0\xcf\x11\xe0", "an Office document"),
    (b"PK\x03\x04", "a ZIP archive or Office document"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"(\xb5/\xfd", "a Zstandard archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x1aE\xdf\xa3", "a video (Matroska or WebM)"),
    (b"\0\0\x01\xba", "a video (MPEG)"),
    (b"\x30\x26\xb2\x75", "a video (Windows Media)"),
    (b"FLV\x01", "a video (Flash)"),
    (b"OggS", "an Ogg recording"),
    (b"ID3", "an MP3 recording"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance picture"),
    (b"SIMPLE  =", "a FITS file"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"#!", "a script"),
)
_BRANDS = {b"qt  ": "a QuickTime video", b"jp2 ": "a JPEG 2000 picture", b"jxl ": "a JPEG XL picture"}
_MARKUP = (b"<svg", b"<?xml", b"<!--", b"<!doctype svg")
_WEB_PAGE = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script")
_MAGICK = (b"push graphic-context", b"viewbox ")
_TAR_MARK_AT = 257
#: Readers look for a PDF's mark in the first 1024 bytes, so that is what makes a PDF.
_PDF_WITHIN_BYTES = 1_024


def name(head: bytes) -> str | None:
    """What the file is, to follow "This is"; None if unknown. No promise that the file is whole."""
    if is_pdf(head):
        return "a PDF document"
    known = (words for prefix, words in _KNOWN if head.startswith(prefix))
    return next(known, None) or _name_of_container(head) or _name_of_text(head)


def is_pdf(head: bytes) -> bool:
    """Whether a PDF reader would open the file, whatever else it is."""
    return b"%PDF-" in head[:_PDF_WITHIN_BYTES]


def _name_of_container(head: bytes) -> str | None:
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "a video (MP4)")
    if head[:4] == b"RIFF":
        return {b"AVI ": "a video (AVI)", b"WAVE": "a WAV recording"}.get(head[8:12])
    if head[_TAR_MARK_AT : _TAR_MARK_AT + 5] == b"ustar":
        return "a tar archive"
    if head[:1] == b"P" and head[1:2] in b"1234567" and head[2:3].isspace():
        return "a PPM picture"
    return None


def _name_of_text(head: bytes) -> str | None:
    whole = head.removeprefix(b"\xef\xbb\xbf").replace(b"\0", b"").lstrip(b"\xff\xfe \t\r\n").lower()
    if whole.startswith(_MARKUP):
        return "an SVG drawing" if b"<svg" in whole or b"<!doctype svg" in whole else "an XML document"
    if whole.startswith(_WEB_PAGE):
        return "a web page (HTML)"
    if whole.startswith(_MAGICK):
        return "an ImageMagick drawing (MVG)"
    return None
