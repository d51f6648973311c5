"""What a start asks of the database before it does anything about it."""

import pytest
from django.db.migrations.recorder import MigrationRecorder

from media_jobs.runtime import preparation


@pytest.mark.django_db
@pytest.mark.parametrize("app", ["media_jobs", "axes"])
def test_a_migration_that_is_new_is_noticed_of_whichever_app_it_is(app: str) -> None:
    assert preparation._has_all_migrations()
    last = MigrationRecorder.Migration.objects.filter(app=app).order_by("pk").last()
    assert last
    last.delete()
    assert not preparation._has_all_migrations()
