"""/v1/events"""

from django.urls import path

from media_jobs.api.events.views import EventsView, TicketView

urlpatterns = [
    path("events", EventsView.as_view(), name="v1-events"),
    path("events/ticket", TicketView.as_view(), name="v1-events-ticket"),
]
