"""Pages about webhooks and what is sent to them."""

from media_jobs.admin.webhooks import deliveries, endpoints

__all__ = ["deliveries", "endpoints"]
