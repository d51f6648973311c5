"""What tests of POST /v1/images share: the forms that they send, and what a refusal looks like."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from media_jobs.adapters.storage import Role, store
from media_jobs.api.shared.problem_types import uri_of
from media_jobs.models import Job, Original

URL = "/v1/images"


def file(content: bytes, name: str = "gall.jpg") -> SimpleUploadedFile:
    # The claimed type is wrong on purpose: only the bytes count.
    return SimpleUploadedFile(name, content, content_type="application/x-nonsense")


def form(*parts: tuple[str, str | None, bytes], boundary: str = "b") -> bytes:
    """A multipart body; parts are (field, file name or None, content)."""
    body = b""
    for field, filename, content in parts:
        name = f'; filename="{filename}"' if filename is not None else ""
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"{name}\r\n\r\n'.encode()
        body += content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode()


def post(client: Client, body: bytes, url: str = URL):
    return client.post(url, body, content_type="multipart/form-data; boundary=b")


def nothing_is_stored() -> bool:
    stored, unfinished = list(store(Role.WORKER).keys()), store(Role.WORKER).unfinished()
    return not (Original.objects.exists() or Job.objects.exists() or stored or unfinished)


def refused(response, status: int, code: str) -> str:
    """Asserts a problem document with nothing stored; returns its sentence."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["code"], problem["instance"]) == (status, code, response.request["PATH_INFO"])
    assert problem["type"] == uri_of(code)
    assert nothing_is_stored()
    return str(problem["detail"])
