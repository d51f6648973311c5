"""The database has a name of its own, and tasks of housekeeping go on where they stopped."""

import uuid

from django.db import migrations, models


def name_it(apps, schema_editor):
    apps.get_model('media_jobs', 'Installation').objects.create()


class Migration(migrations.Migration):

    dependencies = [
        ('media_jobs', '0012_readiness'),
    ]

    operations = [
        migrations.CreateModel(
            name='Installation',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('uuid', models.UUIDField(default=uuid.uuid4)),
                ('probed_at', models.DateTimeField(help_text='When it was last tried whether the database can be written.', null=True)),
            ],
            options={'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='installation_is_one')]},
        ),
        migrations.AddField(
            model_name='maintenancetask',
            name='progress',
            field=models.JSONField(blank=True, default=dict, editable=False, help_text='Where the next run goes on, if the last one found no end.'),
        ),
        migrations.RunPython(name_it, migrations.RunPython.noop),
    ]
