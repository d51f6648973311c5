from django.urls import path

from media_jobs.api.instructions.details import DetailsView
from media_jobs.api.instructions.downloads import FileView
from media_jobs.api.instructions.files import FilesView
from media_jobs.api.instructions.health import HealthView
from media_jobs.api.instructions.static_schema import swagger
from media_jobs.api.instructions.views import DetailView, InstructionsView, InstructionView, ProductsView

urlpatterns = [
    path("instructions", InstructionsView.as_view(), name="instructions"),
    path("instructions/<uuid:id>", InstructionView.as_view(), name="instruction"),
    path("instructions/<uuid:id>/details", DetailsView.as_view(), name="instruction-details"),
    path("instructions/<uuid:id>/details/<uuid:detailId>", DetailView.as_view(), name="instruction-detail"),
    path("instructions/<uuid:id>/details/<uuid:detailId>/file", FileView.as_view(), name="instruction-file"),
    path("products", ProductsView.as_view(), name="products"),
    path("files", FilesView.as_view(), name="files"),
    path("swagger.json", swagger, name="swagger"),
    path("health", HealthView.as_view(), name="health"),
]
