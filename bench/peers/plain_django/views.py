from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from bench.peers.plain_django.models import Picture
from bench.peers.plain_django.tasks import make_sizes


@csrf_exempt
@require_POST
def upload(request: HttpRequest) -> JsonResponse:
    picture = Picture.objects.create(original=request.FILES["file"])
    make_sizes.delay(picture.pk)
    return JsonResponse({"id": picture.pk}, status=202)
