#!/bin/sh
# drf-spectacular==0.30.0: what `OpenApiWebhook(decorator=extend_schema(...))` says by `parameters` and `examples` is not in the
# document, without a warning: `process_webhooks` takes over description, summary, tags, body and answers only. Headers that
# receivers have to check, such as those of Standard Webhooks, are therefore missing. A hook of POSTPROCESSING_HOOKS can add
# them.
# needs: Python 3.11 or newer, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check django==5.2.19 djangorestframework==3.18.3 drf-spectacular==0.30.0
cat >"$folder/seen.py" <<'PYTHON'
import django, drf_spectacular
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["rest_framework", "drf_spectacular"],
    ROOT_URLCONF=__name__,
    REST_FRAMEWORK={
        "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "UNAUTHENTICATED_USER": None,
    },
    SPECTACULAR_SETTINGS={"OAS_VERSION": "3.1.0", "WEBHOOKS": [f"{__name__}.TOLD"]},
)
django.setup()

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import OpenApiParameter, OpenApiWebhook, extend_schema

urlpatterns = []
TOLD = OpenApiWebhook(
    name="told",
    decorator=extend_schema(
        summary="Told",
        parameters=[OpenApiParameter("webhook-id", str, OpenApiParameter.HEADER)],
        request={"application/json": {"type": "object"}},
        responses={200: None},
    ),
)
told = SchemaGenerator().get_schema(public=True)["webhooks"]["told"]["post"]
print(f"drf-spectacular {drf_spectacular.__version__}: {sorted(told)}")
assert "summary" in told
assert "parameters" not in told, "this has changed"
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
