"""What can go wrong: each class has a code, a sentence for a person, and who is to blame.

No HTTP in here: every API decides for itself which status an error has. All of them are here, because codes are looked
up among these classes, and a class whose module nobody imported would be missed.
"""

from media_jobs.errors.base import *
from media_jobs.errors.callers import *
from media_jobs.errors.connections import *
from media_jobs.errors.deliveries import *
from media_jobs.errors.files import *
from media_jobs.errors.flags import *
from media_jobs.errors.requests import *
from media_jobs.errors.server import *
