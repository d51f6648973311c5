"""Which products a caller may use, and what they take."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from media_jobs.errors import FormatNotAllowed, TooManyPixels, UnknownProduct
from media_jobs.models import Product
from media_jobs.pipeline.formats.pixels.stated_size import stated_size_px
from media_jobs.pipeline.formats.sniff import Kind
from media_jobs.services.originals import SizeLimits, size_limits


def open_to(caller: str) -> list[Product]:
    """Return the products that the caller of this id may use, by name. There are few."""
    return [product for product in Product.objects.filter(active=True) if product.is_open_to(caller)]


def find(name: str, caller: str) -> Product:
    """Return the product with this name or id. Raises UnknownProduct, also for one that is not open to the caller."""
    try:
        wanted: dict[str, Any] = {"pk": UUID(name)}
    except ValueError:
        wanted = {"name": name}
    product = Product.objects.filter(**wanted).first()
    if product is None or not product.is_open_to(caller):
        raise UnknownProduct(name[:64])
    return product


@dataclass(frozen=True, slots=True)
class ProductLimits(SizeLimits):
    """What files of a product may have, within the limits of the service.

    max_pixels: None for the service's own. formats: empty for all.
    """

    max_pixels: int | None
    formats: tuple[str, ...]

    def check(self, kind: Kind, head: bytes) -> None:
        """Raise FormatNotAllowed, and TooManyPixels where the first bytes tell; else the job will."""
        if self.formats and kind.format not in self.formats:
            raise FormatNotAllowed(found=kind.format.upper(), allowed=self.formats)
        size = stated_size_px(kind.format, head) if self.max_pixels else None
        if size and self.max_pixels and size[0] * size[1] > self.max_pixels:
            raise TooManyPixels(pixels=size[0] * size[1], limit=self.max_pixels)


def limits_of(product: Product) -> ProductLimits:
    own = size_limits()
    most = product.max_bytes or own.largest_bytes
    return ProductLimits(
        picture_bytes=min(own.picture_bytes, most),
        raw_bytes=min(own.raw_bytes, most),
        max_pixels=product.max_pixels,
        formats=tuple(product.formats),
    )


def job_limits(product: Product) -> dict[str, Any]:
    """Return what a job of the product keeps of them, for its worker: see `intake.create_job`."""
    limits = {"bytes": product.max_bytes, "pixels": product.max_pixels, "formats": product.formats}
    return {name: value for name, value in limits.items() if value}
