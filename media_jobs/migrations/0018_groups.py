"""Three groups, so that making a person is a name, an address and a group."""

from django.db import migrations

from media_jobs.migrations._groups import grant

VIEWER = (
    "media_jobs.view_original",
    "media_jobs.view_derivative",
    "media_jobs.view_job",
    "media_jobs.view_preset",
    "media_jobs.view_reprocessrun",
    "media_jobs.view_runitem",
)
CURATOR = (
    *VIEWER,
    "media_jobs.add_original",
    "media_jobs.change_original",
    "media_jobs.delete_original",
    "media_jobs.redo_original",
    "media_jobs.retry_job",
    "media_jobs.cancel_job",
    "media_jobs.triage_job",
    "media_jobs.view_jobevent",
    "media_jobs.view_change",
    "media_jobs.add_preset",
    "media_jobs.change_preset",
    "media_jobs.delete_preset",
    "media_jobs.manage_reprocessrun",
    "media_jobs.view_instruction",
    "media_jobs.view_instructiondetail",
    "media_jobs.view_product",
)
OPERATOR = (
    *CURATOR,
    "media_jobs.download_original",
    "media_jobs.view_maintenancetask",
    "media_jobs.view_apikey",
    "media_jobs.add_apikey",
    "media_jobs.change_apikey",
    "media_jobs.view_webhookendpoint",
    "media_jobs.add_webhookendpoint",
    "media_jobs.change_webhookendpoint",
    "media_jobs.delete_webhookendpoint",
    "media_jobs.test_webhookendpoint",
    "media_jobs.view_webhookdelivery",
    "media_jobs.replay_webhookdelivery",
    "media_jobs.add_product",
    "media_jobs.change_product",
    "media_jobs.delete_product",
    "media_jobs.view_deadletter",
    "media_jobs.view_storedentry",
    "auth.view_user",
    "auth.view_group",
)


def make_groups(apps, schema_editor):
    grant(apps, {"Viewer": VIEWER, "Curator": CURATOR, "Operator": OPERATOR})


class Migration(migrations.Migration):

    dependencies = [
        ("media_jobs", "0017_log_of_changes"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
