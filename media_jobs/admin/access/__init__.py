"""Who may come: people, their groups, and programs' keys."""

from media_jobs.admin.access import api_keys, people, sign_in

__all__ = ["api_keys", "people", "sign_in"]
