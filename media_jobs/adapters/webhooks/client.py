"""Posts a signed event to the address that its receiver chose, and to no host of ours.

requests-hardened resolves the name once and connects to that very address, so that a name that leads elsewhere a moment
later (DNS rebinding) changes nothing; TLS still checks the name. Which addresses are allowed is decided here, on the
address that was pinned.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
import structlog
import urllib3
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from standardwebhooks import Webhook

from media_jobs.adapters.webhooks import addresses
from media_jobs.adapters.webhooks.deadline import Deadline
from media_jobs.errors import ReceiverAddressRefused, ReceiverTimeout, ReceiverUnreachable

log = structlog.get_logger(__name__)

USER_AGENT = "gallimg-webhooks/1"
#: So much of an answer is read.
_BODY_BYTES = 1000


@dataclass(frozen=True, slots=True)
class Reply:
    """What the receiver answered. body: its beginning, as text. retry_after: the header, empty where there is none."""

    status: int
    body: str
    retry_after: str
    ms: int


def signed_headers(message_id: str, sent_at: datetime, payload: str, secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers of Standard Webhooks, with a signature for each secret."""
    sent_at = sent_at.astimezone(UTC)  # `sign` would take any other zone's clock for that of UTC
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(message_id, sent_at, payload) for secret in secrets),
    }


def post(url: str, payload: str, headers: Mapping[str, str], *, limit_s: float, allow_loopback: bool = False) -> Reply:
    """Post `payload`, JSON, and return the reply, whatever its status; redirects are not followed.

    limit_s: for all of it. Raises ReceiverAddressRefused, ReceiverTimeout, ReceiverUnreachable.
    """
    began = time.monotonic()
    with Deadline(limit_s) as deadline, _session(deadline, allow_loopback=allow_loopback) as session:
        try:
            with session.post(
                url,
                data=payload.encode(),
                headers={**headers, "Content-Type": "application/json", "User-Agent": USER_AGENT},
                timeout=limit_s,
                allow_redirects=False,
                stream=True,
            ) as response:
                if deadline.has_passed:  # in the middle of the headers, perhaps
                    raise ReceiverTimeout(limit_s=limit_s)
                return Reply(
                    status=response.status_code,
                    body=_beginning(response),
                    retry_after=response.headers.get("Retry-After", ""),
                    ms=int((time.monotonic() - began) * 1000),
                )
        except InvalidIPAddress as error:
            raise ReceiverAddressRefused from error
        # ValueError: of names that are none.
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            if deadline.has_passed or isinstance(error, requests.Timeout):
                raise ReceiverTimeout(limit_s=limit_s) from error
            raise ReceiverUnreachable(_why(error)) from error


class _GuardedAdapter(IPFilterAdapter):  # type: ignore[misc]
    """Connects to the pinned address, if that is on the public internet."""

    def __init__(self, deadline: Deadline, *, is_https: bool, allow_loopback: bool) -> None:
        self._deadline = deadline
        super().__init__(is_https_proto=is_https, allow_loopback=allow_loopback)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._deadline.pool_classes()

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        pinned = addresses.parse(host["host"])
        if pinned is None or not (
            addresses.is_global(pinned) or (self._allow_loopback and addresses.is_loopback(pinned))
        ):
            log.warning("webhook_address_refused", address=host["host"])
            raise InvalidIPAddress(host["host"])
        return host, pool


class _Session(requests.Session):  # type: ignore[misc]
    """Leaves redirects alone. requests reads their whole body, however large, also where it is not to follow them."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def _session(deadline: Deadline, *, allow_loopback: bool) -> requests.Session:
    """A session that knows no proxy, no .netrc and no cookie: each would be a way around the pinned address."""
    session = _Session()
    session.trust_env = False
    session.headers.clear()
    session.headers.update({"Accept": "*/*", "Accept-Encoding": "identity"})
    for scheme in ("https", "http"):
        guarded = _GuardedAdapter(deadline, is_https=scheme == "https", allow_loopback=allow_loopback)
        session.mount(f"{scheme}://", guarded)
    return session


def _beginning(response: requests.Response) -> str:
    """Return what can be had of the body. Whether the event was taken is decided by the status, which is there."""
    try:
        read = response.raw.read(_BODY_BYTES, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError):
        return ""
    return str(read.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}"))


def _why(error: Exception) -> str:
    """Say in a few words what kept us from an answer, without addresses."""
    text = repr(error)
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate was not accepted, or it speaks no TLS"
    if "resolve" in text:
        return "its name is not known"
    if "refused" in text:
        return "nothing listens there"
    return "the connection broke off" if isinstance(error, requests.ConnectionError) else "its address cannot be used"
