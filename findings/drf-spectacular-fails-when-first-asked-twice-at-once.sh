#!/bin/sh
# drf-spectacular==0.30.0 with djangorestframework==3.18.3, Django==5.2.19: of threads that ask a process for its first schema
# at the same time, one gets AttributeError: 'NoneType' object has no attribute 'startswith'; as a view that is a 500.
# `OpenApiGeneratorExtension._load_class` in plumbing.py resolves the classes of its registry at first use without a lock, and
# sets `target_class` to None before its neighbour has read it. A later request of the process, alone, is well.
# Whoever serves the schema from threads needs a lock around the first one, or makes it at the start.
# needs: Python 3.11 or newer, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    drf-spectacular==0.30.0 djangorestframework==3.18.3 Django==5.2.19
cat >"$folder/asked.py" <<'PYTHON'
import sys
from concurrent.futures import ThreadPoolExecutor

import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "drf_spectacular"],
    REST_FRAMEWORK={"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"},
    ROOT_URLCONF="urls",
)
django.setup()
from drf_spectacular.generators import SchemaGenerator


def ask(_):
    try:
        SchemaGenerator().get_schema(request=None, public=True)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


sys.setswitchinterval(1e-5)
with ThreadPoolExecutor(4) as threads:
    print({said for said in threads.map(ask, range(4)) if said})
print("then, alone:", ask(None) or "well")
PYTHON
cat >"$folder/urls.py" <<'PYTHON'
from django.urls import path
from rest_framework.views import APIView


class Thing(APIView):
    def get(self, request):
        pass


urlpatterns = [path("thing", Thing.as_view())]
PYTHON
cd "$folder"
for process in $(seq 30); do
    seen=$("$folder/venv/bin/python" asked.py 2>/dev/null)
    case $seen in *"'NoneType' object has no attribute 'startswith'"*"alone: well") break ;; esac
done
echo "drf-spectacular 0.30.0, errors of the first four requests of process $process, at once: $seen"
case $seen in *"'NoneType' object has no attribute 'startswith'"*"alone: well") ;; *) echo "this has changed" >&2; exit 1 ;; esac
