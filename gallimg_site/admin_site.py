"""The admin, which is imported when somebody asks for one of its pages."""

import threading
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks

from gallimg_site.lazy_urls import Entries
from media_jobs.optional_packages import without

#: Of two threads that import pages at once one undid what the other had registered (Django 5.2's autodiscover).
_loading = threading.RLock()
#: Below it are all pages. Whoever asks for the address of one imports them.
PREFIX = "admin/"


class AdminPages(SimpleAdminConfig):
    """Django's, without its import of all pages; its checks import them."""

    default = False

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(_check_pages, checks.Tags.admin)


def desk() -> Entries:
    """The pages of the desk that belong to no model."""
    load()
    from media_jobs.admin import urls  # noqa: PLC0415

    return list(urls.urlpatterns)


def models() -> Entries:
    """The pages of models."""
    load()
    return list(admin.site.get_urls())


def load() -> None:
    """Import all pages, unless they are here."""
    import django_stubs_ext  # noqa: PLC0415  (it imports what it patches: half of Django)

    with _loading, without("django.contrib.postgres"):  # unfold has widgets for fields that we have not, and 5 MB
        django_stubs_ext.monkeypatch()  # classes of the admin take type arguments at run time, as in `PageAdmin[Job]`
        admin.autodiscover()


def _check_pages(app_configs: Sequence[AppConfig] | None, **given: Any) -> list[checks.CheckMessage]:
    load()
    return list(check_admin_app(app_configs, **given))
