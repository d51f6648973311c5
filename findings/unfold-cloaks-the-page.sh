#!/bin/sh
# django-unfold==0.91.0 with Django==5.2.19: the element <html> of every page, the login too, has Alpine's `x-cloak`, and unfold's
# style sheet hides what has it; Alpine takes it away when it starts. Where scripts are blocked, or Alpine may not compile (a
# Content-Security-Policy without `unsafe-eval`), the whole page stays blank, and there is no <noscript>.
# Whoever wants the admin to work without scripts overrides unfold/layouts/skeleton.html.
# needs: Python 3.11 or newer, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check django==5.2.19 django-unfold==0.91.0
cat >"$folder/seen.py" <<'PYTHON'
import re
from pathlib import Path

import django
from django.conf import settings

APPS = ("admin", "auth", "contenttypes", "sessions", "messages", "staticfiles")
MIDDLEWARE = ("sessions.middleware.Session", "auth.middleware.Authentication", "messages.middleware.Message")
settings.configure(
    SECRET_KEY="for a test only",
    ALLOWED_HOSTS=["testserver"],
    ROOT_URLCONF=__name__,
    STATIC_URL="/static/",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["unfold", *(f"django.contrib.{app}" for app in APPS)],
    MIDDLEWARE=[f"django.contrib.{name}Middleware" for name in MIDDLEWARE],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
)
django.setup()

import unfold
from django.contrib import admin
from django.core.management import call_command
from django.test import Client
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
call_command("migrate", verbosity=0)
page = Client().get("/admin/login/").content.decode()
[html] = re.findall(r"<html[^>]*>", page)
sheet = (Path(unfold.__file__).parent / "static/unfold/css/styles.css").read_text()
cloaked = bool(re.search(r"\sx-cloak[\s>=]", html))
hidden = bool(re.search(r"\[x-cloak\]\s*\{\s*display:\s*none\s*!important", sheet))
print(f"django-unfold 0.91.0: <html> is cloaked: {cloaked}; the style sheet hides that: {hidden}; noscript: {'<noscript' in page}")
assert cloaked and hidden and "<noscript" not in page, "this has changed"
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
