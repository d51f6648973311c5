"""Migrations that the release before this one could not live with are found before they are released."""

import pytest
from django_migration_linter import MigrationLinter

#: Without a transaction around it all, which would be silent for longer than the service lets one be.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres, pytest.mark.slow]

#: What the linter finds, and why it is as it is. Nothing is to come on top: add a column with a `db_default`, fill it,
#: and remove what is old one release later.
EXEMPT = {
    "0006_standard_words": "renames tables and columns: nothing had been released before",
    "0013_installation": "a column without a default in the database: nothing had been released before",
    "0015_imports": "a key is unique from there on: nothing had been released before",
}


def test_the_release_before_can_live_with_every_migration(capsys: pytest.CaptureFixture[str]) -> None:
    linter = MigrationLinter(include_apps=["media_jobs"], no_cache=True, quiet=["ok", "ignore", "warning"])
    refused = []
    for migration in sorted(linter.migration_loader.disk_migrations.values(), key=lambda found: found.name):
        if migration.app_label == "media_jobs":
            errors = linter.nb_erroneous
            linter.lint_migration(migration)
            refused += [migration.name] if linter.nb_erroneous > errors else []
    assert linter.nb_total > 20
    assert refused == sorted(EXEMPT), capsys.readouterr().out
