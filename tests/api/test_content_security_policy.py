"""What pages may load and run: nothing that was slipped into them."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gallimg_site.env import Env
from gallimg_site.picture_origins import picture_origins

pytestmark = pytest.mark.django_db


def policy(client: Client, address: str) -> dict[str, list[str]]:
    """The policy of a page, which has no script in it."""
    answer = client.get(address)
    assert answer.status_code == 200
    for script in re.findall(r"<script\b[^>]*>(.*?)</script>", answer.content.decode(), re.DOTALL):
        assert not script.strip()
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", answer.content.decode())
    directives = answer["Content-Security-Policy"].split(";")
    return {name: values for name, *values in (directive.split() for directive in directives)}


@pytest.mark.parametrize(
    "address", ["/admin/", "/admin/media_jobs/job/", "/admin/media_jobs/preset/", "/admin/auth/user/", "/admin/add/"]
)
def test_pages_of_the_admin_run_scripts_of_this_service_alone(address: str) -> None:
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss"))
    found = policy(boss, address)
    assert found["script-src"] == ["'self'", "'unsafe-eval'"]
    assert found["object-src"] == found["frame-ancestors"] == ["'none'"]
    assert found["base-uri"] == found["form-action"] == found["default-src"] == ["'self'"]


@pytest.mark.parametrize("address", ["/docs", "/docs/problems", "/admin/login/"])
def test_pages_for_everybody_have_one_too(client: Client, address: str) -> None:
    found = policy(client, address)
    assert found["script-src"] == (["'self'", "'unsafe-eval'"] if address.startswith("/admin/") else ["'self'"])


def test_the_script_of_the_docs_comes_by_itself(client: Client) -> None:
    page = client.get("/docs").content.decode()
    sources = re.findall(r'<script src="([^"]*)"', page)
    assert sources[-1].endswith("media_jobs/docs.js")
    assert all(source.startswith("/static/") for source in sources)


@pytest.mark.parametrize(
    ("given", "origins"),
    [
        ({}, ["http://127.0.0.1:8080"]),
        ({"PUBLIC_BASE_URL": "https://gallimg.example.org/"}, ["https://gallimg.example.org"]),
        ({"S3_BUCKET": "b", "CDN_BASE_URL": "https://cdn.example.org/x"}, ["https://cdn.example.org"]),
        ({"S3_BUCKET": "b", "S3_ENDPOINT": "s3.example.org:9000"}, ["https://s3.example.org:9000"]),
        (
            {"S3_BUCKET": "b", "AWS_REGION": "cn-north-1"},
            ["https://s3.cn-north-1.amazonaws.com.cn", "https://b.s3.cn-north-1.amazonaws.com.cn"],
        ),
    ],
)
def test_pictures_may_come_from_where_they_are_served(given: dict[str, Any], origins: list[str]) -> None:
    assert picture_origins(Env(**given)) == origins
