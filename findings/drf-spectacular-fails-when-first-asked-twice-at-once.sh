#!/bin/sh
# drf-spectacular==0.30.0 with djangorestframework==3.18.3, Django==5.2.19: of two threads that ask a process for its first
# schema at the same time, one gets AttributeError: 'NoneType' object has no attribute 'startswith' (a 500 where the schema
# is a view, as when a page of Swagger UI and a client open together after a start). `OpenApiGeneratorExtension._load_class`
# in plumbing.py resolves the classes of its registry at first use without a lock: it sets `target_class` to None before
# its neighbour has read it. Later requests of that process are well: a lock, or one schema made at the start, mends it.
# needs: Python 3.11 or newer, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    drf-spectacular==0.30.0 djangorestframework==3.18.3 Django==5.2.19
cat >"$folder/asked.py" <<'PYTHON'
import sys, threading

import django
from django.conf import settings
from django.urls import path

settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "drf_spectacular"],
    ROOT_URLCONF="asked",
    REST_FRAMEWORK={"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"},
)
if __name__ == "__main__":
    sys.modules["asked"] = sys.modules["__main__"]
    django.setup()

from drf_spectacular.generators import SchemaGenerator
from rest_framework.response import Response
from rest_framework.views import APIView


class Thing(APIView):
    def get(self, request):
        return Response()


urlpatterns = [path("thing", Thing.as_view())]
together = threading.Barrier(4)
failed = []


def ask():
    together.wait()
    try:
        SchemaGenerator().get_schema(request=None, public=True)
    except Exception as error:
        failed.append(f"{type(error).__name__}: {error}")


def four():
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


sys.setswitchinterval(1e-5)
four()
first = sorted(set(failed))
failed.clear()
four()
print(first, failed)
PYTHON
cat >"$folder/seen.py" <<'PYTHON'
import subprocess, sys
from importlib.metadata import version

said = []
for _ in range(30):
    done = subprocess.run([sys.executable, sys.argv[1] + "/asked.py"], capture_output=True, text=True, check=True, cwd=sys.argv[1])
    said.append(done.stdout.strip())
    if said[-1] != "[] []":
        break
print(f"drf-spectacular {version('drf-spectacular')}: process {len(said)}, errors of its first four requests and of the next four:", said[-1])
assert "AttributeError" in said[-1], "this has changed"
assert said[-1].endswith("[]"), "this has changed"
PYTHON
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
