"""The pages of the admin, which the first request for one of them imports."""

import json
import os
import subprocess
import sys

from django.contrib import admin

_LOADED_BY_MANY = """
import json, sys, threading
import django
django.setup()
from django.contrib import admin
from gallimg_site import admin_site

sys.setswitchinterval(1e-5)
begin = threading.Barrier(12)

def load():
    begin.wait()
    admin_site.load()

threads = [threading.Thread(target=load) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps(sorted(model._meta.label for model in admin.site._registry)))
"""


def test_of_two_first_requests_neither_loses_a_page() -> None:
    env = {"DATABASE_URL": "", "S3_BUCKET": "", "SECRET_KEY": "only for this test", "LOG_LEVEL": "error"}
    command = [sys.executable, "-c", _LOADED_BY_MANY]
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert json.loads(done.stdout) == sorted(model._meta.label for model in admin.site._registry)
