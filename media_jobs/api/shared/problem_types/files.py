"""Errors of files: of the upload itself, or of its job, whose answer then has the code."""

from media_jobs.api.shared.problem_types.base import ProblemType

_OTHER_FILE = "Trying again with the same file cannot help. Save the picture anew in another program, or send another."

TYPES = {
    "refused": ProblemType("File refused", "The file cannot be processed. The detail says why.", "Send another file."),
    "file_too_large": ProblemType(
        "File too large",
        "The file has more bytes than this service takes. Camera raw files have a limit of their own. The detail names "
        "both.",
        "Save it smaller, or ask the operator, who sets MAX_UPLOAD_MB, INGEST_MAX_UPLOAD_MB and RAW_MAX_UPLOAD_MB.",
    ),
    "unsupported_format": ProblemType(
        "Unsupported format",
        "The first bytes are not those of a picture of an accepted format. Name and Content-Type do not count.",
        "Send JPEG, PNG, WebP, GIF, TIFF, AVIF, HEIC, BMP or a camera raw file.",
    ),
    "format_not_allowed": ProblemType(
        "Format not taken by the product",
        "The file is a picture of a format that this service reads, and the product takes others only. The detail "
        "lists them.",
        "Convert the picture, or use another product.",
    ),
    "raw_no_preview": ProblemType(
        "Raw file without a preview",
        "Derivatives of camera raw files are made from the preview within, and this file has none. The original is "
        "kept.",
        "Develop the file to a JPEG or TIFF, and send that.",
    ),
    "too_many_pixels": ProblemType(
        "Too many pixels",
        "Decoded, the picture would have more pixels than MAX_MEGAPIXELS, or the product, allows; of an animation, all "
        "frames together.",
        "Scale it down, or ask the operator to raise the limit and retry the job.",
    ),
    "too_many_frames": ProblemType(
        "Too many frames",
        "The file has more frames or pages than any picture needs.",
        "Send a shorter animation, or the one page that matters.",
    ),
    "implausible_ratio": ProblemType(
        "Implausibly compressed",
        "The file would unpack to so many times its size that it is taken for an attack.",
        "Save the picture anew in another program. A plain surface of millions of pixels looks like this, too.",
    ),
    "too_much_memory": ProblemType(
        "Too much memory needed",
        "Decoding the picture takes more memory than even the lane for large pictures has.",
        "Save it smaller or without progressive coding, or ask the operator to raise HEAVY_MEMORY_MB and retry the "
        "job.",
    ),
    "undecodable": ProblemType(
        "Damaged file", "The file begins as a picture and cannot be decoded as one.", _OTHER_FILE
    ),
    "truncated": ProblemType(
        "File breaks off",
        "The file ends in the middle of the picture: probably a copy or an upload was cut short before it came here.",
        "Copy it from where it came from once more, and upload it again.",
    ),
    "upload_missing": ProblemType(
        "File never arrived",
        "The storage has no file for this direct upload: it was never stored, or not with the form that was given out.",
        "Begin anew with POST /v1/uploads; send its form before POST /v1/images.",
    ),
    "upload_mismatch": ProblemType(
        "File is not the announced one",
        "What arrived in the storage differs in size or checksum from what POST /v1/uploads announced.",
        "Upload it again, and announce the size and SHA-256 of the very bytes that you send.",
    ),
    "upload_changed": ProblemType(
        "File was replaced",
        "The form of a direct upload was used a second time while a worker had read the first file.",
        "Upload the file anew, and use each form once.",
    ),
    "decoder_crashed": ProblemType(
        "Decoder crashed",
        "The decoder crashed on this picture, in its sandbox. Nothing else was harmed.",
        f"{_OTHER_FILE} The operator may be glad of the file.",
    ),
    "worker_lost": ProblemType(
        "Workers lost",
        "Each worker that began this picture stopped answering, so that it is taken for the reason.",
        "Ask the operator, whose logs say how the workers ended; then retry the job.",
    ),
}
