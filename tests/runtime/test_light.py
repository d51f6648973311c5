"""What is in the memory of every process, and what is not: a module that one of them imports is paid by all."""

import json
import os
import subprocess
import sys

#: By module: who brought it, or would.
ABSENT = {
    "PIL": "pictures are for the decoder alone",
    "boto3": "of files no client of S3 is needed",
    "charset_normalizer": "comes with requests",
    "django.contrib.postgres": "REST framework and unfold have fields for it, we have none",
    "drf_spectacular.generators": "the document of the API is made when somebody asks for it",
    "jsonschema": "the same",
    "jwt": "imported with the first token",
    "media_jobs.admin": "pages again",
    "nats": "few have it",
    "numpy": "for the decoder alone",
    "opentelemetry": "redis-py and others look for it",
    "psycopg": "of SQLite no client of PostgreSQL is needed",
    "pygments": "REST framework takes it where it finds it",
    "pyvips": "for the decoder alone",
    "rawpy": "for the decoder alone",
    "requests": "REST framework again; webhooks import it with the first delivery",
    "rich": "structlog takes it for tracebacks of its own",
    "segno": "draws the code for a second factor, on a page",
    "unfold.admin": "pages are for people, and imported with the first one (gallimg_site/admin_site.py)",
    "yaml": "REST framework again",
}
_LOADED = """
import json, sys
import django
django.setup()
from django.test import Client
from media_jobs.management.commands.serve import load_application
load_application()
answer = Client().get("/v1/nothing", SERVER_NAME="localhost")
print(json.dumps([answer.status_code, list(sys.modules)]))
"""


def test_processes_hold_nothing_that_only_some_requests_need() -> None:
    env = {"DATABASE_URL": "", "S3_BUCKET": "", "SECRET_KEY": "only for this test", "LOG_LEVEL": "error"}
    command = [sys.executable, "-c", _LOADED]
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    status, loaded = json.loads(done.stdout)
    assert status == 404  # an answer went through all middleware, and looked for the nearest address
    assert {"media_jobs.api.images.views", "media_jobs.runtime.workers.process"} <= set(loaded)
    assert {name: why for name, why in ABSENT.items() if name in loaded} == {}
