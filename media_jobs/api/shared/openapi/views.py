"""The description of the API as an address. The first request makes it, those after it get what was made."""

import json
from threading import Lock

from django.http import HttpRequest, HttpResponse
from django.views import View
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularSwaggerView
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

from media_jobs.api.shared.addresses import is_local

_READ = ["get", "head"]
#: By whether it is for callers on this machine: nothing else of a request changes it.
made: dict[bool, bytes] = {}
#: drf-spectacular 0.30 fills its registries at first use: of two first requests at once one was a 500.
_making = Lock()


class DescriptionView(View):
    """The OpenAPI document, as JSON. It tells callers from elsewhere that they need a credential."""

    def get(self, request: HttpRequest) -> HttpResponse:
        local = is_local(request)
        with _making:
            if local not in made:
                made[local] = _written(request)
        return HttpResponse(made[local], content_type="application/vnd.oai.openapi+json")


def _written(request: HttpRequest) -> bytes:
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    document = generator.get_schema(request=Request(request), public=True)  # type: ignore[no-untyped-call]
    return json.dumps(document, cls=JSONEncoder, separators=(",", ":")).encode()


description = DescriptionView.as_view(http_method_names=_READ)
#: `require_safe` is around it, because the view draws a page for each answer, and has none for those to other methods.
docs = require_safe(SpectacularSwaggerView.as_view(url_name="schema", http_method_names=_READ))
