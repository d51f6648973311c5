"""Whoever waits for a job is told of each event; and tickets, by which browsers listen."""

import django.db.models.functions.datetime
from django.db import migrations, models

_NOTIFY = """
CREATE FUNCTION media_jobs_tell_of_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('media_jobs_events', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER media_jobs_events AFTER INSERT ON media_jobs_jobevent
    FOR EACH STATEMENT EXECUTE FUNCTION media_jobs_tell_of_events();
"""
_BE_SILENT = """
DROP TRIGGER media_jobs_events ON media_jobs_jobevent;
DROP FUNCTION media_jobs_tell_of_events();
"""


def notify(apps, schema_editor):
    if schema_editor.connection.vendor == 'postgresql':
        schema_editor.execute(_NOTIFY)


def be_silent(apps, schema_editor):
    if schema_editor.connection.vendor == 'postgresql':
        schema_editor.execute(_BE_SILENT)


class Migration(migrations.Migration):

    dependencies = [
        ('media_jobs', '0011_api'),
    ]

    operations = [
        migrations.CreateModel(
            name='EventTicket',
            fields=[
                ('digest', models.CharField(help_text='sha256 of the ticket.', max_length=64, primary_key=True, serialize=False)),
                ('caller', models.JSONField(help_text='Whoever asked for it: a callers.Caller.')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={'indexes': [models.Index(fields=['created_at'], name='event_ticket_age')]},
        ),
        migrations.RunPython(notify, be_silent),
    ]
