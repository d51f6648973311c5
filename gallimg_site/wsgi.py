"""The WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

from media_jobs.api.shared.wsgi import StreamedBodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gallimg_site.settings")
application = StreamedBodies(get_wsgi_application())
