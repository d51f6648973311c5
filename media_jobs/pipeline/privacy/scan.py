"""The proof: what a finished file carries besides its pixels."""

from media_jobs.pipeline.recipes import Format


def scan(encoded: bytes, format: Format) -> tuple[str, ...]:
    """Names of the rights fields in it. Raises PrivacyLeak when there is anything else."""
    return ()
