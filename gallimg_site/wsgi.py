"""The WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

from gallimg_site.data_directory import UMASK
from media_jobs.api.shared.wsgi import StreamedBodies

os.umask(UMASK)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gallimg_site.settings")
application = StreamedBodies(get_wsgi_application())
