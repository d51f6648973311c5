"""What a server's answers say about rights, and sentences for the errors that end a command."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from media_jobs.adapters.tls import fault_of
from media_jobs.errors import Blame, MediaError

_BAD_CREDENTIALS = frozenset(
    {
        "AuthorizationHeaderMalformed",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "Unauthorized",
    }
)
_UNSUPPORTED = frozenset({"MethodNotAllowed", "NotImplemented", "NotSupported", "UnsupportedOperation"})
#: What a server says that takes some other PUT for that of a bucket.
_TAKEN = frozenset({"BucketAlreadyExists", "BucketAlreadyOwnedByYou"})
_IN_ANOTHER_REGION = frozenset(
    {"301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"}
)
_SENTENCES = {
    "InvalidAccessKeyId": "The storage does not know this access key. Was it deleted, or is it another service's?",
    "SignatureDoesNotMatch": "The secret does not belong to the access key.",
    "ExpiredToken": "The credentials have expired; use those of a user that last.",
    "InvalidToken": "The credentials need a session token; use those of a user that last.",
    "RequestTimeTooSkewed": "The clock of this host, or the storage's, is wrong by minutes.",
    "NoSuchBucket": "There is no such bucket. “manage.py bucket setup” makes it.",
}
#: Where S3 calls the right otherwise than the request.
_RIGHTS = {
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "HeadBucket": "ListBucket",
}
#: Other causes that are refused in the same words.
_OTHER_CAUSES = {
    "PutBucketPolicy": "; or Block Public Access of the account, or of the bucket a moment ago, forbids it"
}


class BucketError(MediaError):
    """The command cannot go on; the sentence says why and what to do."""

    code = "bucket_error"
    blame = Blame.CALLER


class CredentialsError(BucketError):
    """The storage does not accept the credentials at all."""


def may(call: Callable[..., Any], **parameters: Any) -> bool:
    """Whether the server allows that call, also if its object is not there.

    Raises CredentialsError, and BucketError where it says neither yes nor no.
    """
    try:
        call(**parameters)
    except ClientError as error:
        if is_unsupported(error) or is_denied(error):
            return False
        if status_of(error) == 404 and code_of(error) != "NoSuchBucket":
            return True
        refused = CredentialsError if code_of(error) in _BAD_CREDENTIALS else BucketError
        raise refused(sentence(error)) from error
    except BotoCoreError as error:
        raise BucketError(sentence(error)) from error
    return True


#: Where the answer to a question about a bucket has what was asked for.
_ANSWERED_IN = {
    "get_bucket_policy": "Policy",
    "get_public_access_block": "PublicAccessBlockConfiguration",
    "get_bucket_lifecycle_configuration": "Rules",
    "get_bucket_cors": "CORSRules",
}


def is_answered(operation: str, answer: Mapping[str, Any]) -> bool:
    """Whether the answer is one to this question. Servers that do not know it answer another, such as for a list."""
    found = answer.get(_ANSWERED_IN[operation])
    return found is not None and (operation != "get_bucket_policy" or policy_in(found) is not None)


def policy_in(text: str) -> dict[str, Any] | None:
    """Return the policy that a server has sent, or None for what is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "Statement" in found else None


def is_denied(error: ClientError) -> bool:
    """Whether the credentials are good and the right is lacking."""
    return status_of(error) in (401, 403) and code_of(error) not in _BAD_CREDENTIALS


def is_unsupported(error: ClientError) -> bool:
    taken_for_create = code_of(error) in _TAKEN and error.operation_name != "CreateBucket"
    return status_of(error) in (405, 501) or code_of(error) in _UNSUPPORTED or taken_for_create


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


@contextmanager
def explain_errors() -> Iterator[None]:
    """Turn what boto3 raises into BucketError."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise BucketError(sentence(error)) from error


def sentence(error: ClientError | BotoCoreError) -> str:
    """Say what happened and what to do next; without secrets."""
    if isinstance(error, BotoCoreError):
        if fault := fault_of(error):
            return f"The storage answers, but {fault}. Look at S3_ENDPOINT and AWS_CA_BUNDLE."
        return (
            f"The storage does not answer ({type(error).__name__}). Look at S3_ENDPOINT, AWS_REGION and the network; "
            "without S3_ENDPOINT it is AWS."
        )
    code = code_of(error)
    if code in _IN_ANOTHER_REGION:
        return f"The bucket is in {_region(error) or 'another region'}; set AWS_REGION to that."
    if code in _SENTENCES:
        return _SENTENCES[code]
    if is_denied(error):
        other_cause = _OTHER_CAUSES.get(error.operation_name, "")
        return f"These credentials lack s3:{_RIGHTS.get(error.operation_name, error.operation_name)}{other_cause}."
    message = str(error.response.get("Error", {}).get("Message") or "no explanation").rstrip(".")
    return f"The storage refused {error.operation_name}: {code} ({message})."


def _region(error: ClientError) -> str:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return str(error.response.get("Error", {}).get("Region") or headers.get("x-amz-bucket-region", ""))
