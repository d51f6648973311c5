"""/swagger.json: the description of the Instrlabs API, as a file that was made when this version was."""

from pathlib import Path

from django.http import FileResponse, HttpRequest
from django.views.decorators.http import require_safe

PATH = Path(__file__).parent / "swagger.json"


@require_safe
def swagger(request: HttpRequest) -> FileResponse:
    return FileResponse(PATH.open("rb"), content_type="application/json")
