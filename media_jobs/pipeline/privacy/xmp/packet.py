"""Reads XMP packets: the properties at their top, and their texts.

Parsed by expat, which is told to stop at a document type. So no entity can be declared: none expands, and nothing is
ever fetched. Depth, number and length of what is read are bounded. A packet that is no XML is repaired first where that
can be done (`repair`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.parsers import expat

from media_jobs.pipeline.privacy import names
from media_jobs.pipeline.privacy.xmp.repair import repaired

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns# "
_LANGUAGE = "http://www.w3.org/XML/1998/namespace lang"
_LISTS = frozenset({_RDF + "Seq", _RDF + "Bag", _RDF + "Alt"})
_DESCRIPTION, _VALUE, _ITEM, _RESOURCE = _RDF + "Description", _RDF + "value", _RDF + "li", _RDF + "resource"

_MAX_PACKET_BYTES = 1_048_576
_MAX_REPAIRED_BYTES = 262_144
_MAX_ELEMENTS = 20_000
_MAX_DEPTH = 60
_DEEPEST = 7  #: of a value: property, description, value, list, item, description, value
_MAX_ITEMS = 250
_MAX_CHARACTERS = 4_096


@dataclass(slots=True)
class Xmp:
    """Texts of each property, by names like `dc:creator`; each with its language, or none."""

    values: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def texts(self, name: str) -> list[str]:
        return [text for _, text in self.values.get(name, [])]

    def text(self, name: str) -> str:
        """The one to show when no language is asked for."""
        found = self.values.get(name, [])
        return next((text for language, text in found if language.lower() == "x-default"), found[0][1] if found else "")


class _Enough(Exception):
    """What follows is not read."""


def read(packet: bytes, into: Xmp, found: set[str]) -> None:
    """Add a packet's properties to `into`, their names to `found`. What follows the first damage is left out."""
    packet = packet[:_MAX_PACKET_BYTES].strip(b"\0 \t\r\n")
    properties = _Properties()
    if not properties.read(packet) and not properties.refused:
        properties = _Properties("utf-8")
        properties.read(repaired(packet[:_MAX_REPAIRED_BYTES]))
    found |= properties.names
    if not properties.whole:
        found.add("XMP that cannot be read")
    for name, values in properties.values.items():
        kept = into.values.setdefault(name, [])
        kept += values[: _MAX_ITEMS - len(kept)]


class _Properties:
    """The properties of one packet. whole: it was read to its end. refused: what follows must not be read.

    encoding: whatever the packet says of its own.
    """

    def __init__(self, encoding: str | None = None) -> None:
        self.values: dict[str, list[tuple[str, str]]] = {}
        self.names: set[str] = set()
        self.whole = self.refused = False
        self._path: list[str] = []
        self._elements = 0
        self._text: list[str] | None = None
        self._language = ""
        self._top = 0  #: length of the path at an rdf:Description of the packet
        parser = expat.ParserCreate(encoding, namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        self._parser = parser

    def read(self, packet: bytes) -> bool:
        """Whether all of it could be read."""
        try:
            self._parser.Parse(packet, True)
        except (expat.ExpatError, ValueError, LookupError):  # the latter two: an unknown encoding
            return False
        except _Enough:
            self.refused = True
            return False
        self.whole = True
        return True

    def _refuse(self, *_: object) -> None:
        raise _Enough

    def _start(self, element: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > _MAX_ELEMENTS or len(self._path) >= _MAX_DEPTH:
            raise _Enough
        self._path.append(element)
        self._text = None
        if not self._top:
            if self._path[-2:] == [_RDF + "RDF", _DESCRIPTION]:
                self._top = len(self._path)
                self._take(attributes.items())
            return
        inner = self._path[self._top :]
        if len(inner) == 1:
            self._language = ""
            self.names.add("XMP " + _name(element))
        if not _holds_value(inner):
            return
        if element == _ITEM or _LANGUAGE in attributes:
            self._language = attributes.get(_LANGUAGE, "")
        if value := attributes.get(_RESOURCE) or attributes.get(_VALUE):
            self._keep(inner[0], value)
        if element != _DESCRIPTION:
            self._text = []

    def _take(self, attributes: Iterable[tuple[str, str]]) -> None:
        """Simple properties may be attributes."""
        self._language = ""
        for attribute, value in attributes:
            if " " in attribute and not attribute.startswith((_RDF, _LANGUAGE)):
                self.names.add("XMP " + _name(attribute))
                self._keep(attribute, value)

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text[:_MAX_CHARACTERS])

    def _end(self, element: str) -> None:
        if self._text is not None and (text := "".join(self._text).strip()):
            self._keep(self._path[self._top], text)
        self._text = None
        self._path.pop()
        if len(self._path) < self._top:
            self._top = 0

    def _keep(self, element: str, text: str) -> None:
        found = self.values.setdefault(_name(element), [])
        if len(found) < _MAX_ITEMS:
            found.append((self._language, text[:_MAX_CHARACTERS]))


def _holds_value(inner: list[str]) -> bool:
    """Whether the innermost of these elements, from a property on, may hold the property's value or an item of it.

    A value with qualifiers stands in rdf:value, with or without an rdf:Description around them.
    """
    plain = [element for element in inner[1:] if element not in (_DESCRIPTION, _VALUE)]
    in_list = len(plain) == 2 and plain[0] in _LISTS and plain[1] == _ITEM
    return (not plain or in_list) and len(inner) <= _DEEPEST


def _name(element: str) -> str:
    namespace, _, local = element.rpartition(" ")
    return names.xmp(namespace, local)
