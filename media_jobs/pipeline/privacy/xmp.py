"""Reads XMP packets: the properties at their top, and their texts.

Parsed by expat, which is told to stop at a document type. So no entity can be declared: none expands, and nothing is
ever fetched. Depth, number and length of what is read are bounded.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.parsers import expat

from media_jobs.pipeline.privacy import names

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns# "
_LANGUAGE = "http://www.w3.org/XML/1998/namespace lang"
_LISTS = frozenset({_RDF + "Seq", _RDF + "Bag", _RDF + "Alt"})

_MAX_PACKET_BYTES = 1_048_576
_MAX_ELEMENTS = 20_000
_MAX_DEPTH = 60
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
    properties = _Properties(into, found)
    try:
        properties.parser.Parse(packet[:_MAX_PACKET_BYTES].strip(b"\0 \t\r\n"), True)
    except (expat.ExpatError, _Enough, ValueError, LookupError):  # the latter two: an unknown encoding
        found.add("XMP that cannot be read")


class _Properties:
    def __init__(self, into: Xmp, found: set[str]) -> None:
        self._into, self._found = into, found
        self._path: list[str] = []
        self._elements = 0
        self._text: list[str] | None = None
        self._language = ""
        self._top = 0  #: length of the path at an rdf:Description of the packet
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        self.parser = parser

    def _refuse(self, *_: object) -> None:
        raise _Enough

    def _start(self, element: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > _MAX_ELEMENTS or len(self._path) >= _MAX_DEPTH:
            raise _Enough
        self._path.append(element)
        depth = len(self._path) - self._top if self._top else 0
        if not self._top and self._path[-2:] == [_RDF + "RDF", _RDF + "Description"]:
            self._top = len(self._path)
            self._take(attributes.items())
        elif depth == 1:
            self._text, self._language = [], ""
            self._found.add("XMP " + _name(element))
            if resource := attributes.get(_RDF + "resource"):
                self._keep(element, resource)
        elif depth == 3 and element == _RDF + "li" and self._path[-2] in _LISTS:
            self._text, self._language = [], attributes.get(_LANGUAGE, "")
        else:
            self._text = None

    def _take(self, attributes: Iterable[tuple[str, str]]) -> None:
        """Simple properties may be attributes."""
        self._language = ""
        for attribute, value in attributes:
            if " " in attribute and not attribute.startswith((_RDF, _LANGUAGE)):
                self._found.add("XMP " + _name(attribute))
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
        found = self._into.values.setdefault(_name(element), [])
        if len(found) < _MAX_ITEMS:
            found.append((self._language, text[:_MAX_CHARACTERS]))


def _name(element: str) -> str:
    namespace, _, local = element.rpartition(" ")
    return names.xmp(namespace, local)
