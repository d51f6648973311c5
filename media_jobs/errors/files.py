"""What is wrong with a picture."""

from collections.abc import Sequence

from media_jobs.errors.base import Blame, MediaError


class ImageRefused(MediaError):
    """The file itself is the reason; trying again cannot help, unless a class says otherwise."""

    code = "refused"
    blame = Blame.FILE


class FileTooLarge(ImageRefused):
    code = "file_too_large"
    sentence = "The file is too large; at most {limit_mb:g} MB are accepted."

    def __init__(self, *, limit_bytes: int) -> None:
        super().__init__(limit_mb=limit_bytes / 1_048_576)


class UnsupportedFormat(ImageRefused):
    code = "unsupported_format"
    sentence = (
        "This is {found}; accepted are JPEG, PNG, WebP, GIF, TIFF, AVIF, HEIC, BMP and the raw files DNG, CR2, CR3, "
        "NEF, ARW, RAF, ORF and RW2."
    )

    def __init__(self, found: str | None = None) -> None:
        super().__init__(found=found or "not a picture of a known format")


class FormatNotAllowed(UnsupportedFormat):
    """A format that this service reads, and a product does not take."""

    code = "format_not_allowed"
    sentence = "This is {found}; the product takes {allowed} only."

    def __init__(self, *, found: str, allowed: Sequence[str]) -> None:
        ImageRefused.__init__(self, found=found, allowed=", ".join(allowed))


class RawWithoutPreview(ImageRefused):
    code = "raw_no_preview"
    sentence = "{found}{why} The original is kept."

    def __init__(self, *, size_px: tuple[int, int] = (0, 0), least_px: int = 0, coding: str = "") -> None:
        """size_px: of the largest preview that is read here, if any. coding: of a larger one that is not."""
        width, height = size_px
        found = (
            f"The largest preview in this raw file has {width}×{height} pixels; "
            f"its longer side must have {least_px} (RAW_MIN_PREVIEW_PX)."
            if width
            else "This raw file holds no preview picture to make others from."
        )
        codings = {"HEVC": "HEVC (Canon's HDR PQ)", "JPEG XL": "JPEG XL (DNG 1.7)"}
        why = f" Its real preview is coded as {codings.get(coding, coding)}, which is not read here." if coding else ""
        super().__init__(found=found, why=why)


class TooManyPixels(ImageRefused):
    code = "too_many_pixels"
    sentence = "{what} {pixels:,} pixels; at most {limit:,} are allowed."

    def __init__(self, *, pixels: int, limit: int, frames: int = 1) -> None:
        what = f"The animation has {frames:,} frames of together" if frames > 1 else "The picture has"
        super().__init__(what=what, pixels=pixels, limit=limit)


class TooManyFrames(ImageRefused):
    code = "too_many_frames"
    sentence = "The file has {frames:,} frames or pages; at most {limit:,} are allowed."


class ImplausibleRatio(ImageRefused):
    code = "implausible_ratio"
    sentence = (
        "The file would unpack to {ratio:,} times its size, which no real picture does; "
        "at most {limit:,} times is allowed."
    )


class TooMuchMemory(ImageRefused):
    code = "too_much_memory"
    blame = Blame.MACHINE
    sentence = "Decoding the picture would take about {needed_mb:,} MB of memory; {limit_mb:,} MB are allowed."

    def __init__(self, *, needed_bytes: int, limit_bytes: int) -> None:
        super().__init__(needed_mb=needed_bytes // 1_048_576, limit_mb=limit_bytes // 1_048_576)


class NeedsRoom(Exception):
    """No failure: the decoder wants to grow by so much, and asks whoever started it to see whether it is there."""

    def __init__(self, grown_bytes: int) -> None:
        super().__init__(grown_bytes)
        self.grown_bytes = grown_bytes


class Undecodable(ImageRefused):
    code = "undecodable"
    sentence = "The file is damaged or not really a picture; it could not be decoded."


class Truncated(ImageRefused):
    code = "truncated"
    sentence = "The file breaks off in the middle; probably its upload or copy was cut short."


class PrivacyLeak(ImageRefused):
    """An output was about to carry more than rights; a fault of ours, found by the scan before anything was stored."""

    code = "privacy_leak"
    blame = Blame.BUG
    sentence = "A finished file still held {}, which must not be published; nothing was stored."


def refused(code: str, sentence: str) -> ImageRefused:
    """The refusal that the sandbox child reported, as the exception that it was over there."""
    kind = next((kind for kind in ImageRefused.__subclasses__() if kind.code == code), ImageRefused)
    return kind.__new__(kind, sentence)  # without __init__: the sentence is complete


class UploadMissing(ImageRefused):
    code = "upload_missing"
    sentence = "The file never arrived in the storage, or was removed before it was asked for."


class UploadMismatch(ImageRefused):
    code = "upload_mismatch"
    sentence = "The file that arrived is not the one that was announced: its {} differs."


class UploadChanged(ImageRefused):
    """The form was used again after a worker had read the file."""

    code = "upload_changed"
    sentence = "The file was replaced by another while it was being worked on. Please upload it anew."
