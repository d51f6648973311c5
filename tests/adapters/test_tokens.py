"""Tokens by a secret, and by keys that a real HTTP server publishes, changes and withholds."""

import base64
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.utils import timezone
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from media_jobs.adapters import tokens
from media_jobs.errors import BadCredential, CredentialExpired, TokenKeysUnavailable
from tests.api import signing
from tests.api.signing import token

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
KINDS = {
    "RS256": (RSA, RSAAlgorithm),
    "ES256": (EC, ECAlgorithm),
    "EdDSA": (ED, OKPAlgorithm),
}


class Issuer:
    """A server that publishes keys; asked: how often it was."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.away = False
        self.asked = 0
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                body = json.dumps({"keys": issuer.keys}).encode()
                self.send_response(503 if issuer.away else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks.json"

    def publish(self, *named: tuple[str, str]) -> None:
        """Publish keys by name and algorithm, and no others."""
        self.keys = []
        for kid, algorithm in named:
            key, kind = KINDS[algorithm]
            public: dict[str, Any] = kind.to_jwk(key.public_key(), as_dict=True)  # type: ignore[attr-defined]
            self.keys.append({**public, "kid": kid, "use": "sig"})


@pytest.fixture
def issuer(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    found = Issuer()
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings.JWT_JWKS_URL, settings.JWT_SECRET = found.url, ""
    monkeypatch.setattr(tokens, "_ROTATION_S", 0.0)
    monkeypatch.setattr(tokens, "_ASK_AGAIN_S", 0.0)
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


@pytest.fixture
def secret(settings: Any) -> str:
    settings.JWT_SECRET = signing.SECRET
    return signing.SECRET


def signed(algorithm: str, kid: str = "one", **claims: Any) -> str:
    return token(secret=KINDS[algorithm][0], algorithm=algorithm, headers={"kid": kid}, **claims)


def _coded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def test_a_token_signed_by_another_way_than_its_key_is_for_is_refused(issuer: Issuer) -> None:
    issuer.publish(("one", "RS256"), ("two", "ES256"))
    assert "another way than its key is for" in refusal(signed("ES256", "one"))
    assert "another way than its key is for" in refusal(signed("RS256", "two"))
    assert "another way than its key is for" in refusal(signed("EdDSA", "two"))


@pytest.mark.parametrize("algorithm", ["RS384", "RS512"])
def test_an_rsa_key_that_does_not_say_its_algorithm_is_for_all_of_its_kind(issuer: Issuer, algorithm: str) -> None:
    issuer.publish(("one", "RS256"))
    assert "alg" not in issuer.keys[0]
    text = token(secret=RSA, algorithm=algorithm, headers={"kid": "one"})
    assert tokens.judge(text).subject == "ada"


def refusal(text: str) -> str:
    with pytest.raises(BadCredential) as caught:
        tokens.judge(text)
    assert text not in str(caught.value)
    return str(caught.value)


# --- by our own secret ----------------------------------------------------------------------------


@pytest.mark.usefixtures("secret")
def test_a_token_says_who_calls_and_for_what() -> None:
    claims = tokens.judge(token(sub="ada", iss="https://id.example.org", scope="openid upload"))
    assert claims == tokens.Claims("https://id.example.org", "ada", frozenset({"openid", "upload"}))
    assert tokens.judge(token(scope=["read"])).scope == {"read"}


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"sub": 7}, "subject (sub) has to be a string"),
        ({"sub": ""}, "subject (sub) has to be printable text"),
        ({"sub": "a\nb"}, "subject (sub) has to be printable text"),
        ({"sub": "a" * 255}, "1 to 254 characters"),
        ({"sub": None}, "lacks a claim"),
        ({"exp": None}, "lacks a claim"),
        ({"nbf": timezone.now() + timedelta(hours=1)}, "not valid yet"),
        ({"iss": "a|b"}, "issuer (iss) is not a name"),
        ({"iss": "key:abcdefgh"}, "issuer (iss) is not a name"),
        ({"token_type": "refresh"}, "refresh token"),
        ({"secret": "another secret, which has enough bytes"}, "signature is not right"),
        ({"algorithm": "HS512", "secret": "s" * 64}, "way that is not taken here; taken: HS256."),
        ({"algorithm": "none", "secret": ""}, "way that is not taken here"),
    ],
)
def test_what_is_wrong_with_a_token_is_said_in_a_sentence(claims: dict[str, Any], says: str) -> None:
    assert says in refusal(token(**claims))


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("text", ["", "x", "a.b.c", "a.b.c.d.e", "é", "e30.e30.", "W10.W10.W10"])
def test_what_is_no_token_is_said_to_be_none(text: str) -> None:
    with pytest.raises(BadCredential, match=r"not a well-formed token|not taken here"):
        tokens.judge(text)


def test_clocks_may_differ_by_the_leeway(secret: str, settings: Any) -> None:
    late = token(exp=timezone.now() - timedelta(seconds=20))
    assert tokens.judge(late).subject == "ada"
    settings.JWT_LEEWAY_S = 0
    with pytest.raises(CredentialExpired):
        tokens.judge(late)


def test_issuer_and_audience_count_where_they_are_set(secret: str, settings: Any) -> None:
    assert tokens.judge(token(iss="other", aud="another")).issuer == "other"
    settings.JWT_ISSUER, settings.JWT_AUDIENCE = "https://id.example.org", "gallimg"
    right: dict[str, Any] = {"iss": "https://id.example.org", "aud": ["site", "gallimg"]}
    assert tokens.judge(token(**right)).issuer == "https://id.example.org"
    assert "another issuer" in refusal(token(**{**right, "iss": "other"}))
    assert "lacks a claim" in refusal(token(**{**right, "iss": None}))
    assert "another audience" in refusal(token(**{**right, "aud": "site"}))
    assert "lacks a claim" in refusal(token(**{**right, "aud": None}))


def test_without_secret_or_keys_no_token_is_taken() -> None:
    assert "taken: no tokens at all" in refusal(token())


# --- by published keys ----------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", KINDS)
def test_a_published_key_is_fetched_once_for_all_tokens(issuer: Issuer, algorithm: str) -> None:
    issuer.publish(("one", algorithm))
    for _ in range(3):
        assert tokens.judge(signed(algorithm)).subject == "ada"
    assert issuer.asked == 1


def test_a_key_that_has_just_been_published_is_known_at_once_and_one_taken_back_is_forgotten(issuer: Issuer) -> None:
    issuer.publish(("one", "RS256"))
    tokens.judge(signed("RS256"))
    issuer.publish(("two", "ES256"))
    assert tokens.judge(signed("ES256", "two")).subject == "ada"
    assert "names no key (kid)" in refusal(signed("RS256", "one"))


def test_made_up_names_of_keys_do_not_make_us_ask_each_time(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_ROTATION_S", 3600.0)
    issuer.publish(("one", "RS256"))
    for number in range(5):
        assert "names no key (kid)" in refusal(signed("RS256", f"made-up-{number}"))
    assert "names no key (kid)" in refusal(token(secret=RSA, algorithm="RS256"))
    assert issuer.asked == 1


def test_a_public_key_is_no_secret(issuer: Issuer, settings: Any) -> None:
    """A token may not choose HS256 and take what everybody knows for the secret."""
    issuer.publish(("one", "ES256"))
    public = json.dumps(issuer.keys[0]).encode()
    head, body = (_coded(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "one"}, {"sub": "ada"}))
    signature = _coded(hmac.digest(public, f"{head}.{body}".encode(), "sha256"))
    assert "not taken here" in refusal(f"{head}.{body}.{signature}")
    settings.JWT_SECRET = signing.SECRET
    assert tokens.judge(token()).subject == "ada"
    assert tokens.judge(signed("ES256")).subject == "ada"


def test_while_the_issuer_is_away_known_keys_go_on_and_unknown_ones_wait(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.away = True
    issuer.publish(("one", "RS256"))
    with pytest.raises(TokenKeysUnavailable):
        tokens.judge(signed("RS256"))
    issuer.away = False
    monkeypatch.setattr(tokens, "_KEYS_KEPT_S", 1e-9)  # every judgement wants them anew
    tokens.published_keys.cache_clear()
    assert tokens.judge(signed("RS256")).subject == "ada"
    issuer.away = True
    assert tokens.judge(signed("RS256")).subject == "ada"
    monkeypatch.setattr(tokens, "_STALE_KEYS_S", -1.0)
    with pytest.raises(TokenKeysUnavailable):
        tokens.judge(signed("RS256"))


def test_an_issuer_that_is_away_is_not_asked_by_every_request(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_ASK_AGAIN_S", 3600.0)
    issuer.away = True
    for _ in range(5):
        with pytest.raises(TokenKeysUnavailable):
            tokens.judge(signed("RS256"))
    assert issuer.asked == 1


@pytest.mark.parametrize("keys", [[], [{"kty": "oct", "k": "c2VjcmV0", "kid": "one"}], ["nonsense"], [{"kty": "?"}]])
def test_what_is_published_may_be_nonsense(issuer: Issuer, keys: list[Any]) -> None:
    issuer.keys = keys
    with pytest.raises((BadCredential, TokenKeysUnavailable)):
        tokens.judge(signed("RS256"))
