"""What tests of direct uploads share: announcing a file, sending it by the form, and asking for its image."""

from typing import Any
from urllib.parse import urlsplit

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

BEGIN, IMAGES = "/v1/uploads", "/v1/images"
JSON = "application/json"


def begin(client: Client, **said: Any) -> Any:
    return client.post(BEGIN, {"filename": "gall.jpg", "contentType": "image/jpeg", **said}, content_type=JSON)


def send(form: dict[str, Any], content: bytes) -> Any:
    """What a browser does with the form; it has no cookie for where the form goes."""
    where = urlsplit(form["url"])
    file = SimpleUploadedFile("gall.jpg", content, content_type="application/x-nonsense")
    return Client().post(f"{where.path}?{where.query}", {**form["fields"], "file": file})


def staged(client: Client, content: bytes, **said: Any) -> str:
    """The id of an upload whose file has arrived."""
    form = begin(client, **said).json()
    assert send(form, content).status_code == 204
    return str(form["uploadId"])


def accept(client: Client, upload_id: str, *, url: str = IMAGES, key: str | None = None, **fields: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(url, {"uploadId": upload_id, **fields}, content_type=JSON, headers=headers)


def refused(response: Any, status: int, code: str) -> str:
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["code"], problem["instance"]) == (status, code, response.request["PATH_INFO"])
    return str(problem["detail"])
