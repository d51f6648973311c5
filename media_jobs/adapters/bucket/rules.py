"""Rules of lifecycle and CORS, and statements of a bucket's policy: ours beside those of others.

Ours are known by their names; all others stay as they are and in their places.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from media_jobs.adapters.bucket.policies import Policy, Statement
from media_jobs.adapters.bucket.policies import policy as policy_of

Rule = dict[str, Any]

#: Of everything that is left of an upload after a day, nobody will ever come for the rest.
_UNFINISHED_DAYS = 1
#: Long after housekeeping has removed them itself, and longer than a queue may stand still over a week-end.
_STAGING_DAYS = 30
#: Where uploads come in many parts; the workers send single requests.
_IN_PARTS = ("originals", "uploads")


def unfinished() -> list[Rule]:
    """Lifecycle: uploads that were begun and never ended are aborted."""
    return [
        _lifecycle(f"gallimg-unfinished-{folder}", f"{folder}/")
        | {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _UNFINISHED_DAYS}}
        for folder in _IN_PARTS
    ]


def staging() -> list[Rule]:
    """Lifecycle: what browsers stored and nobody asked for goes, should housekeeping not have come for it."""
    return [_lifecycle("gallimg-uploads", "uploads/") | {"Expiration": {"Days": _STAGING_DAYS}}]


def cors(origins: Sequence[str]) -> list[Rule]:
    """CORS: pages of these origins may post forms."""
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
    """`existing` with `ours` put in by their names, or None where they are all there as they should be."""
    known = {rule.get(name): rule for rule in existing}
    if all(_same(known.get(rule[name]), rule) for rule in ours):
        return None
    renewed = {rule[name]: rule for rule in ours}
    kept = [renewed.pop(str(rule.get(name)), rule) for rule in existing]
    return [*kept, *renewed.values()]


def with_statements(existing: Policy | None, ours: Sequence[Statement]) -> Policy | None:
    """The bucket's policy with our statements in it, or None where they are all there."""
    if existing is None:
        return policy_of(*ours)
    statements = merged(_listed(existing["Statement"]), ours, name="Sid")
    return None if statements is None else {**existing, "Statement": statements}


def public_statements(existing: Policy | None) -> list[str]:
    """Names of the statements that give something to everybody without a condition."""
    return [
        str(statement.get("Sid") or "one without a name")
        for statement in _listed(existing["Statement"] if existing else [])
        if statement["Effect"] == "Allow" and _everybody(statement.get("Principal")) and not statement.get("Condition")
    ]


def _lifecycle(name: str, prefix: str) -> Rule:
    return {"ID": name, "Status": "Enabled", "Filter": {"Prefix": prefix}}


def _same(found: Any, wanted: Any) -> bool:
    """Whether a server says what we said: it may order lists anew, unpack those of one, and add what we left out."""
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
