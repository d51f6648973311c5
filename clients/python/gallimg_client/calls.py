"""Requests: signed, tried again where that helps, and turned into answers or exceptions."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import Any
from uuid import uuid4

import httpx

from gallimg_client.errors import ProblemError, Unreachable, problem
from gallimg_client.forms import Form
from gallimg_client.retries import Retries

#: An API key or a token (JWT); or what returns one, asked for each request, as tokens expire.
Credential = str | Callable[[], str]
#: The last second of an answer that waits may take a while on its way.
_ON_THE_WAY_S = 30.0


class Calls:
    """One service, and who calls it. user_id: for whom, where the key may act for users."""

    def __init__(
        self,
        base_url: str,
        *,
        credential: Credential | None,
        user_id: str | None,
        retries: Retries,
        http: httpx.Client,
    ) -> None:
        self._base_url, self._credential, self._user_id = base_url.rstrip("/"), credential, user_id
        self.retries, self._http = retries, http

    def json(self, method: str, path: str, **how: Any) -> Any:
        """Return what the answer to `send` says."""
        return self.send(method, path, **how).json()

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: object = None,
        form: Form | None = None,
        once: bool = False,
        key: str | None = None,
        wait_s: int = 0,
    ) -> httpx.Response:
        """Return a successful answer.

        once: the request is sent with an Idempotency-Key, `key` or a new one, the same each time that it is tried.
        wait_s: how long the service is asked to wait with its answer. Raises ProblemError, Unreachable.
        """
        headers = {"Idempotency-Key": key or str(uuid4())} if once else {}
        asked = {**(params or {}), **({"wait": wait_s} if wait_s else {})}
        for failed in count(1):
            try:
                with self._answer(
                    method, path, asked, headers, wait_s + _ON_THE_WAY_S, json=json, form=form
                ) as response:
                    response.read()
                    return response
            except (ProblemError, Unreachable) as error:
                pause_s = None if form and form.is_spent else self.retries.pause_s(failed, error)
                if pause_s is None:
                    raise
            time.sleep(pause_s)
        raise AssertionError  # for the type checker: `count` has no end

    def stream(
        self, path: str, *, params: Mapping[str, Any], headers: Mapping[str, str], read_s: float
    ) -> AbstractContextManager[httpx.Response]:
        """Open an answer without end. read_s: nothing for so long ends it. Raises ProblemError, Unreachable."""
        return self._answer("GET", path, params, headers, read_s)

    @contextmanager
    def _answer(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any],
        headers: Mapping[str, str],
        read_s: float,
        *,
        json: object = None,
        form: Form | None = None,
    ) -> Iterator[httpx.Response]:
        """An answer that is a success, while it comes in."""
        try:
            with self._http.stream(
                method,
                self._base_url + path,
                params=params,
                json=json,
                content=form.content() if form else None,
                headers={**self._who(), **headers, **(form.headers if form else {})},
                timeout=httpx.Timeout(_ON_THE_WAY_S, read=read_s),
            ) as response:
                if not response.is_success:
                    response.read()
                    raise problem(response)
                yield response
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError):
            raise  # wrong here, not there
        except httpx.TransportError as error:
            raise Unreachable(f"{method} {path}: {error or type(error).__name__}") from error

    def _who(self) -> dict[str, str]:
        credential = self._credential() if callable(self._credential) else self._credential
        signed = {"Authorization": f"Bearer {credential}"} if credential else {}
        return {**signed, **({"X-User-ID": self._user_id} if self._user_id else {})}
