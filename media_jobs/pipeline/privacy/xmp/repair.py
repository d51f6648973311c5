"""Mends XMP packets that are no XML, as programs write them that put texts together: raw ampersands, prefixes that
nobody declared, letters in Windows' Latin-1, control characters. Stdlib only.
"""

import re

from media_jobs.pipeline.privacy.xmp.namespaces import PROPERTIES

#: An ampersand that begins none of XML's own references.
_RAW_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)")
_NUMBER = re.compile(r"&#(x?)([0-9a-fA-F]{1,7});")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
#: Tags are found without looking for their ends: an attribute may hold anything.
_NOT_UTF_8 = re.compile("[\udc80-\udcff]+")
_PREFIX = re.compile(r"[<\s]/?([A-Za-z_][\w.-]{0,39}):[A-Za-z_]")
_DECLARED = re.compile(r"""\sxmlns:([A-Za-z_][\w.-]{0,39})\s*=\s*["']([^"'<>]{1,200})["']""")
_ROOT = re.compile(r"<[A-Za-z_][\w.:-]*")
_MAX_PREFIXES = 100

_USUAL = {prefix: uri for uri, (prefix, _) in PROPERTIES.items()} | {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
}
_ALWAYS_THERE = frozenset({"xml", "xmlns"})


def repaired(packet: bytes) -> bytes:
    """The packet as UTF-8, with what can be repaired. It declares no entities that it did not declare before."""
    text = _CONTROL.sub("", _decoded(packet))
    text = _RAW_AMPERSAND.sub("&amp;", _NUMBER.sub(_possible, text))
    return _with_prefixes(text).encode("utf-8", "replace")


def _decoded(packet: bytes) -> str:
    if packet.startswith((b"\xff\xfe", b"\xfe\xff")):
        return packet.decode("utf-16", "replace")
    # Only the bytes that are no UTF-8: a packet may have letters of both kinds.
    text = packet.decode("utf-8-sig", "surrogateescape")
    return _NOT_UTF_8.sub(lambda run: run[0].encode("utf-8", "surrogateescape").decode("cp1252", "replace"), text)


def _possible(reference: re.Match[str]) -> str:
    """A reference by number, as text where no such character may be in XML."""
    try:
        code = int(reference[2], 16 if reference[1] else 10)
    except ValueError:
        return "&amp;" + reference[0][1:]
    allowed = code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
    return reference[0] if allowed else "&amp;" + reference[0][1:]


def _with_prefixes(text: str) -> str:
    """Declare at the root what is used, by its usual meaning, or by that which it has elsewhere in the packet."""
    root = _ROOT.search(text)
    if root is None:
        return text
    declared = dict(_DECLARED.findall(text))
    at_root = {prefix for prefix, _ in _DECLARED.findall(text[root.end() : text.find(">", root.end())])}
    used = dict.fromkeys(match[1] for match in _PREFIX.finditer(text))
    missing = [prefix for prefix in used if prefix not in at_root and prefix not in _ALWAYS_THERE][:_MAX_PREFIXES]
    meanings = {prefix: declared.get(prefix) or _USUAL.get(prefix, f"unknown:{prefix}") for prefix in missing}
    declarations = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in meanings.items())
    return text[: root.end()] + declarations + text[root.end() :]
