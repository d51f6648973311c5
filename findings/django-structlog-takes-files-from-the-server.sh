#!/bin/sh
# django-structlog==11.0.0 with django==5.2.19: RequestMiddleware puts a generator in place of the content of each answer that
# streams, to log when it ends. Of a FileResponse that clears `file_to_stream`, so that the server is handed no
# `wsgi.file_wrapper`, and sendfile is never used: files go out through Python, 4 KB at a time. What sets `file_to_stream` again
# after the middleware gives the file back.
# needs: Python 3.11 or newer, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check django==5.2.19 django-structlog==11.0.0
cat >"$folder/seen.py" <<'PYTHON'
import django
from django.conf import settings

settings.configure(ALLOWED_HOSTS=["*"], INSTALLED_APPS=["django_structlog"], ROOT_URLCONF=__name__, SECRET_KEY="x")
django.setup()

from wsgiref.util import FileWrapper, setup_testing_defaults

from django.core.wsgi import get_wsgi_application
from django.http import FileResponse
from django.urls import path

urlpatterns = [path("", lambda request: FileResponse(open(__file__, "rb")))]


def answer(*middleware):
    settings.MIDDLEWARE = list(middleware)
    environ = {"wsgi.file_wrapper": FileWrapper}
    setup_testing_defaults(environ)
    made = get_wsgi_application()(environ, lambda *_: None)
    made.close()
    return made


without, behind = answer(), answer("django_structlog.middlewares.RequestMiddleware")
print(f"without: {type(without).__name__}; behind the middleware: {type(behind).__name__}")
assert isinstance(without, FileWrapper)
assert not isinstance(behind, FileWrapper), "this has changed"
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
