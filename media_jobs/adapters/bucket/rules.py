"""Rules of lifecycle and CORS, and statements of a bucket's policy: ours beside those of others.

Ours are known by their names; all others stay as they are and in their places.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from media_jobs.adapters.bucket.policies import Policy, Statement
from media_jobs.adapters.bucket.policies import policy as policy_of

Rule = dict[str, Any]

#: An upload that was not completed within a day never will be.
_UNFINISHED_DAYS = 1
#: Long after housekeeping has removed them, and longer than workers may be down over a week-end.
_STAGING_DAYS = 30
#: Prefixes of multipart uploads; the workers send single requests.
_MULTIPART_FOLDERS = ("originals", "uploads")


def unfinished() -> list[Rule]:
    """Lifecycle rules that abort uploads which were begun and never ended."""
    return [
        _lifecycle(f"gallimg-unfinished-{folder}", f"{folder}/")
        | {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _UNFINISHED_DAYS}}
        for folder in _MULTIPART_FOLDERS
    ]


def staging() -> list[Rule]:
    """Lifecycle rules that remove what browsers stored and nobody used, should no housekeeping run."""
    return [_lifecycle("gallimg-uploads", "uploads/") | {"Expiration": {"Days": _STAGING_DAYS}}]


def cors(origins: Sequence[str]) -> list[Rule]:
    """CORS rules that let pages of these origins post forms."""
    return [
        {
            "ID": "gallimg-uploads",
            "AllowedOrigins": list(origins),
            "AllowedMethods": ["POST"],
            "AllowedHeaders": ["*"],
            "MaxAgeSeconds": 3600,
        }
    ]


def merged(existing: Sequence[Rule], ours: Sequence[Rule], *, name: str = "ID") -> list[Rule] | None:
    """Return `existing` with `ours` put in by their names, or None where all are there as they should be."""
    known = {rule.get(name): rule for rule in existing}
    if all(_same(known.get(rule[name]), rule) for rule in ours):
        return None
    renewed = {rule[name]: rule for rule in ours}
    kept = [renewed.pop(str(rule.get(name)), rule) for rule in existing]
    return [*kept, *renewed.values()]


def with_statements(existing: Policy | None, ours: Sequence[Statement]) -> Policy | None:
    """Return the bucket's policy with our statements in it, or None where all are there."""
    if existing is None:
        return policy_of(*ours)
    statements = merged(_listed(existing["Statement"]), ours, name="Sid")
    return None if statements is None else {**existing, "Statement": statements}


def public_statements(existing: Policy | None) -> list[str]:
    """Return the names of the statements that allow everybody something without a condition."""
    return [
        str(statement.get("Sid") or "one without a name")
        for statement in _listed(existing["Statement"] if existing else [])
        if statement["Effect"] == "Allow" and _everybody(statement.get("Principal")) and not statement.get("Condition")
    ]


def _lifecycle(name: str, prefix: str) -> Rule:
    return {"ID": name, "Status": "Enabled", "Filter": {"Prefix": prefix}}


def _same(found: Any, wanted: Any) -> bool:
    """Whether a server returns what was put: it may reorder lists, unpack those of one, and add defaults."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(_same(found.get(name), value) for name, value in wanted.items())
    if wanted == "*":
        return _everybody(found)
    if isinstance(wanted, list) or isinstance(found, list):
        return sorted(map(str, _listed(found))) == sorted(map(str, _listed(wanted)))
    return bool(found == wanted)


def _everybody(principal: Any) -> bool:
    return "*" in _listed(principal.get("AWS") if isinstance(principal, Mapping) else principal)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
