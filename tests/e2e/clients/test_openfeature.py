"""OpenFeature's own clients from npm, as `package-lock.json` pins them, against a whole service."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.documentation.terminal import blocks
from tests.e2e.service import ROOT, Service

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("npm"), reason="needs Node 20 or newer with npm: apt-get install npm"),
]

PINNED = Path(__file__).with_name("openfeature")
INSTALL = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]
#: The bucket of `visitor-1` is 1,802, that of `visitor-7` 6,956.
ASK_EVERYTHING = """
const said = {};
const ask = async (name, flag, context) => {
  const { value, reason, variant, errorCode } = await flags.getBooleanDetails(flag, false, context);
  said[name] = [value, reason, variant ?? null, errorCode ?? null];
};
await ask("share", "image-service", { targetingKey: "visitor-1" });
await ask("rest", "image-service", { targetingKey: "visitor-7" });
await ask("denied", "image-service", { targetingKey: "visitor-4" });
await ask("nobody", "image-service", {});
await ask("unknown", "imageservice", { targetingKey: "visitor-1" });
await ask("number", "image-service", { targetingKey: 7 });
const { OFREPApi } = await import("@openfeature/ofrep-core");
const api = new OFREPApi("http://127.0.0.1:8080");
const context = { targetingKey: "visitor-1" };
const all = await api.postBulkEvaluateFlags({ context }, { headers });
const ETag = all.httpResponse.headers.get("ETag");
const again = await api.postBulkEvaluateFlags({ context }, { headers: [...headers, ["If-None-Match", ETag]] });
said.bulk = [all.httpStatus, all.value.flags.map((flag) => [flag.key, flag.value]), again.httpStatus];
// As a proxy passes requests on: who comes by one is let in by a credential only.
const fetchImplementation = (request) => {
  request.headers.set("X-Forwarded-For", "192.0.2.1");
  return fetch(request);
};
await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: "http://127.0.0.1:8080", fetchImplementation }));
await ask("stranger", "image-service", { targetingKey: "visitor-1" });
console.log(JSON.stringify(said));
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which programs find OpenFeature's packages."""
    folder = tmp_path_factory.mktemp("openfeature")
    for file in PINNED.iterdir():
        shutil.copy(file, folder)
    subprocess.run(INSTALL, cwd=folder, check=True, capture_output=True)
    return folder


def test_clients_of_openfeature_get_what_the_flag_says(service: Service, packages: Path) -> None:
    key = service.manage("apikey", "create", "the site", "--scope", "read").strip()
    service.manage("flag", "set", "image-service", "--on", "--percent", "25", "--force", "--reason", "a test")
    service.manage("flag", "set", "image-service", "--deny", "visitor-4")
    [program] = blocks((ROOT / "docs/flags.md").read_text(), "js")
    here = (program + ASK_EVERYTHING).replace("http://127.0.0.1:8080", service.url).replace("gallimg_…", key)
    done = subprocess.run(
        ["node", "--input-type=module", "-"], cwd=packages, input=here, capture_output=True, text=True, check=True
    )
    first, second = done.stdout.splitlines()
    said: dict[str, Any] = json.loads(second)
    assert first == "true"
    assert said == {
        "share": [True, "SPLIT", "on", None],
        "rest": [False, "SPLIT", "off", None],
        "denied": [False, "TARGETING_MATCH", "off", None],
        "nobody": [False, "ERROR", None, "TARGETING_KEY_MISSING"],
        "unknown": [False, "ERROR", None, "FLAG_NOT_FOUND"],
        "number": [False, "ERROR", None, "INVALID_CONTEXT"],
        "bulk": [200, [["image-service", True]], 304],
        "stranger": [False, "ERROR", None, "GENERAL"],
    }
