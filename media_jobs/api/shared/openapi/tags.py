"""The groups in which the document shows the calls, in this order."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tag:
    """paths: with what the addresses of its calls begin."""

    name: str
    description: str
    paths: tuple[str, ...]


TAGS = (
    Tag("Images", "Upload a picture; look at, change, delete and restore what you have.", ("/v1/images",)),
    Tag("Jobs", "Each upload is a job: how far it is, and what came of it.", ("/v1/jobs",)),
    Tag("Events", "Follow your jobs live, as Server-Sent Events.", ("/v1/events",)),
    Tag("Direct uploads", "Send large files past this service, straight to the storage.", ("/v1/uploads",)),
    Tag("Webhooks", "Have the events of your jobs posted to you, signed.", ("/v1/webhooks",)),
    Tag(
        "Reprocess runs",
        "Make many images anew: know the cost, watch it, stop it, take it back.",
        ("/v1/runs", "/v1/staleness"),
    ),
    Tag(
        "Flags",
        "Whether a feature is on for a visitor: in our words, and by OpenFeature's remote evaluation protocol (OFREP).",
        ("/v1/flags", "/ofrep/"),
    ),
    Tag("Shadows", "For a cut-over: what a live site makes of a picture, beside what is made here.", ("/v1/shadow",)),
    Tag("Tokens", "For accounts of this service, where it issues tokens.", ("/v1/tokens",)),
    Tag(
        "Ingestion",
        "The same service in the words of the Ingestion API: over the same images and jobs, with the preset `ingest`.",
        ("/api/v1/ingest", "/api/v1/health"),
    ),
    Tag(
        "Instructions",
        "The Instrlabs API: files under instructions of products, over the same images and jobs. Each answer comes in "
        "an envelope, errors too.",
        ("/instructions", "/products", "/files", "/health"),
    ),
)


def tag_of(path: str) -> str:
    """Return the name of the group of a call. Raises LookupError: a new API needs a line above."""
    for tag in TAGS:
        if path.startswith(tag.paths):
            return tag.name
    raise LookupError(f"{path} begins like no group of media_jobs.api.shared.openapi.tags")
