from django.urls import path

from media_jobs.api.runs import views

urlpatterns = [
    path("runs", views.RunsView.as_view(), name="v1-runs"),
    path("runs/<uuid:id>", views.RunView.as_view(), name="v1-run"),
    path("runs/<uuid:id>/items", views.ItemsView.as_view(), name="v1-run-items"),
    path("runs/<uuid:id>/confirm", views.ConfirmView.as_view(), name="v1-run-confirm"),
    path("runs/<uuid:id>/pause", views.PauseView.as_view(), name="v1-run-pause"),
    path("runs/<uuid:id>/resume", views.ResumeView.as_view(), name="v1-run-resume"),
    path("runs/<uuid:id>/cancel", views.CancelView.as_view(), name="v1-run-cancel"),
    path("runs/<uuid:id>/accept", views.AcceptView.as_view(), name="v1-run-accept"),
    path("runs/<uuid:id>/rollback", views.RollBackView.as_view(), name="v1-run-rollback"),
    path("staleness", views.StalenessView.as_view(), name="v1-staleness"),
]
