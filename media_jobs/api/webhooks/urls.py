from django.urls import path

from media_jobs.api.webhooks import views

urlpatterns = [
    path("webhooks", views.WebhooksView.as_view(), name="v1-webhooks"),
    path("webhooks/<uuid:id>", views.WebhookView.as_view(), name="v1-webhook"),
    path("webhooks/<uuid:id>/secret", views.SecretView.as_view(), name="v1-webhook-secret"),
    path("webhooks/<uuid:id>/test", views.TestView.as_view(), name="v1-webhook-test"),
    path("webhooks/<uuid:id>/deliveries", views.DeliveriesView.as_view(), name="v1-webhook-deliveries"),
    path(
        "webhooks/<uuid:id>/deliveries/<uuid:delivery_id>/replay",
        views.ReplayView.as_view(),
        name="v1-webhook-delivery-replay",
    ),
    path("webhooks/<uuid:id>/replay", views.ReplayFailedView.as_view(), name="v1-webhook-replay"),
]
