"""What tests of the Instrlabs API share: callers, products, and what stands in the envelope."""

from typing import Any

from django.test import Client

from media_jobs.models import InstructionDetail, Product
from tests import people, working
from tests.api.uploading import file

URL = "/instructions"


def data(answer: Any, status: int = 200) -> Any:
    """What stands in the envelope of an answer that went well."""
    assert answer.status_code == status, answer.content
    body = answer.json()
    assert list(body) == ["message", "errors", "data"]
    assert body["errors"] is None
    assert body["message"]
    return body["data"]


def refused(answer: Any, status: int, code: str) -> str:
    """Assert the envelope of an error; return its sentence."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json"), answer.content
    body = answer.json()
    assert list(body) == ["message", "errors", "data"]
    assert body["data"] is None
    assert body["errors"][0]["code"] == code
    assert len(body["errors"]) > 1 or body["errors"][0]["detail"] == body["message"]
    return str(body["message"])


def user(key: str, name: str) -> Client:
    """One of the users for whom a program calls."""
    return people.program(key, name)


def product(**fields: Any) -> Product:
    given = {"name": "plates", "preset": "gallformers", "open_to_all": True}
    return Product.objects.create(**(given | fields))


def create(caller: Client, product: str = "gallformers", **fields: Any) -> str:
    """Make an instruction; its address."""
    answer = caller.post(URL, {"productId": product, **fields}, content_type="application/json")
    return f"{URL}/{data(answer, 201)['id']}"


def add(caller: Client, address: str, *contents: bytes, field: str = "files", **fields: Any) -> Any:
    files = [file(content, f"gall-{number}.jpg") for number, content in enumerate(contents)]
    return caller.post(f"{address}/details", {field: files, **fields})


def added(caller: Client, address: str, *contents: bytes) -> list[str]:
    """Send files that are all taken; the addresses of their details."""
    items = data(add(caller, address, *contents), 202)["items"]
    return [f"{address}/details/{item['detail']['id']}" for item in items]


def work() -> None:
    """Have a worker do all that waits."""
    for detail in InstructionDetail.objects.filter(state="queued").select_related("job"):
        assert detail.job
        working.run(detail.job.pk)
