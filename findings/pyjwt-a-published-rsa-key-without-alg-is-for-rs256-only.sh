#!/bin/sh
# PyJWT 2.15.1: `alg` of a published key (JWK) is optional (RFC 7517, 4.4): a key without it is for every algorithm of its kind.
# PyJWT gives an RSA key without `alg` the one algorithm RS256. A good token of the same key that is signed with RS384, RS512 or
# PS256 is refused, "Token algorithm 'RS512' does not match the key's algorithm 'RS256'", also where `algorithms` allows it.
# The key's own cryptography object (`PyJWK.key`) judges it. An issuer that signs with anything but RS256 has to publish `alg`.
# needs: Python 3.11 or newer, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyjwt==2.15.1 cryptography==50.0.2
cat >"$folder/seen.py" <<'PYTHON'
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
published = {**RSAAlgorithm.to_jwk(private.public_key(), as_dict=True), "kid": "one", "use": "sig"}
published.pop("key_ops", None)
assert "alg" not in published
key = jwt.PyJWKSet.from_dict({"keys": [published]})["one"]
for algorithm in ("RS256", "RS384", "RS512", "PS256"):
    token = jwt.encode({"sub": "ada"}, private, algorithm)
    try:
        seen = jwt.decode(token, key, algorithms=[algorithm])["sub"]
    except jwt.PyJWTError as error:
        seen = f"{type(error).__name__}: {error}"
    bare = jwt.decode(token, key.key, algorithms=[algorithm])["sub"]
    print(f"{algorithm}: by the JWK: {seen}; by its bare key: {bare}")
    refused = f"InvalidAlgorithmError: Token algorithm '{algorithm}' does not match the key's algorithm 'RS256'"
    assert bare == "ada"
    assert seen == ("ada" if algorithm == "RS256" else refused), "this has changed"
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
