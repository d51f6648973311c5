"""What was found in one file so far: each block of metadata is read by its language, and may hold others."""

from dataclasses import dataclass, field

from media_jobs.pipeline.formats.common import Bytes
from media_jobs.pipeline.privacy import exif, iptc
from media_jobs.pipeline.privacy.exif import MAIN, Exif
from media_jobs.pipeline.privacy.iptc import Iptc
from media_jobs.pipeline.privacy.xmp import packet
from media_jobs.pipeline.privacy.xmp.packet import Xmp

#: Of EXIF, XMP and IPTC. Real files have three or four.
_MAX_BLOCKS = 20
MAX_BLOCK_BYTES = 1_048_576


@dataclass(slots=True)
class Pieces:
    """What was found in one file."""

    names: set[str] = field(default_factory=set)
    exif: Exif = field(default_factory=Exif)
    iptc: Iptc = field(default_factory=Iptc)
    xmp: Xmp = field(default_factory=Xmp)
    blocks: int = 0
    c2pa_boxes: set[bytes] = field(default_factory=set)  #: numbers of those that a JPEG has in several segments

    @property
    def full(self) -> bool:
        """Whether so many blocks were read that no more will be."""
        return self.blocks >= _MAX_BLOCKS

    def _more(self) -> bool:
        """Whether one more block will be read. That there are more has a name, too."""
        if self.full:
            self.names.add(f"metadata beyond {_MAX_BLOCKS} blocks")
            return False
        self.blocks += 1
        return True

    def add_exif(self, block: Bytes, *, group: str = MAIN, picture: bool = False) -> None:
        """A TIFF structure, and what lies in it in other languages."""
        if not self._more():
            return
        exif.read(block, self.exif, self.names, group=group, picture=picture)
        for tag, add in ((exif.XMP, self.add_xmp), (exif.IPTC, self.add_iptc), (exif.PHOTOSHOP, self.add_photoshop)):
            if (value := self.exif.values.pop((exif.MAIN, tag), None)) is not None:
                add(value[2])

    def add_xmp(self, block: bytes) -> None:
        self.names.add("XMP packet")
        if self._more():
            packet.read(block, self.xmp, self.names)

    def add_hdr(self, curve: str) -> None:
        """The picture is for displays that are brighter than white. What comes out is flat."""
        self.names.add(f"HDR colours ({curve})")

    def add_iptc(self, block: bytes) -> None:
        if self._more():
            iptc.read(block, self.iptc, self.names)

    def add_photoshop(self, block: bytes) -> None:
        for number, content in iptc.resources(block):
            if number == iptc.IPTC:
                self.add_iptc(content)
                continue
            self.names.add(iptc.name(number))
            if number == iptc.DIGEST:
                self.iptc.stated = content
            elif number == iptc.XMP:
                self.add_xmp(content)
            elif number == iptc.EXIF:
                self.add_exif(content)
