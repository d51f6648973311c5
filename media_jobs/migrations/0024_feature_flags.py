"""Feature flags, and the one that is shipped: it is off, and raised step by step."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from media_jobs.migrations._groups import grant

CURATOR = ("media_jobs.view_featureflag", "media_jobs.view_flagchange")
OPERATOR = (*CURATOR, "media_jobs.add_featureflag", "media_jobs.change_featureflag")


def ship(apps, schema_editor):
    apps.get_model("media_jobs", "FeatureFlag").objects.create(
        name="image-service",
        description="The site sends pictures of these visitors to this service, and shows what it makes of them.",
        enabled=False,
        basis_points=0,
        guarded=True,
    )
    grant(apps, {"Curator": CURATOR, "Operator": OPERATOR})


class Migration(migrations.Migration):

    dependencies = [
        ('media_jobs', '0023_preset_previews'),
    ]

    operations = [
        migrations.AlterField(
            model_name='webhookdelivery',
            name='type',
            field=models.CharField(choices=[('job.queued', 'job.queued'), ('job.started', 'job.started'), ('job.done', 'job.done'), ('job.failed', 'job.failed'), ('job.cancelled', 'job.cancelled'), ('job.retried', 'job.retried'), ('job.reported', 'job.reported'), ('flag.fell_back', 'flag.fell_back'), ('webhook.test', 'webhook.test')], max_length=32),
        ),
        migrations.CreateModel(
            name='FeatureFlag',
            fields=[
                ('name', models.SlugField(max_length=40, primary_key=True, serialize=False)),
                ('description', models.TextField(blank=True, help_text='What is on where it is on, for people.')),
                ('enabled', models.BooleanField(default=False, help_text='Off: off for all keys, whatever else is said here.')),
                ('basis_points', models.PositiveSmallIntegerField(default=0, help_text='For how many of 10,000 keys it is on: 125 are 1.25 %.')),
                ('allow', models.JSONField(blank=True, default=list, help_text='Keys for which it is on at any percentage.')),
                ('deny', models.JSONField(blank=True, default=list, help_text='Keys for which it is off, even if they are allowed.')),
                ('guarded', models.BooleanField(default=True, help_text='Raised only while the scoreboard allows it; falls back by itself when it does not.')),
                ('fell_back_at', models.DateTimeField(blank=True, editable=False, help_text='When the guard switched it to 0 %; empty once a person raised it.', null=True)),
                ('forced_at', models.DateTimeField(blank=True, editable=False, help_text='When it was raised although there were too many errors; the guard rests until these are fewer.', null=True)),
                ('version', models.PositiveIntegerField(default=1, editable=False, help_text='Counts its changes.')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('changed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'verbose_name': 'feature flag',
                'ordering': ['name'],
                'default_permissions': ('add', 'change', 'view'),
                'constraints': [models.CheckConstraint(condition=models.Q(('basis_points__lte', 10000)), name='flag_share_is_a_part')],
            },
        ),
        migrations.CreateModel(
            name='FlagChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(help_text="The flag's version after it.")),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('actor', models.CharField(help_text='A caller, such as staff:3, or guard.', max_length=255, verbose_name='who')),
                ('before', models.JSONField(default=dict, help_text='The former values by name, of what changed.')),
                ('after', models.JSONField(default=dict, help_text='The new values by name.')),
                ('reason', models.TextField(blank=True)),
                ('forced', models.BooleanField(default=False, help_text='Raised although the guard refused it.')),
                ('flag', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='media_jobs.featureflag')),
            ],
            options={
                'verbose_name': 'change of a flag',
                'verbose_name_plural': 'changes of flags',
                'ordering': ['-id'],
                'default_permissions': ('view',),
                'constraints': [models.UniqueConstraint(fields=('flag', 'version'), name='flag_change_once'), models.CheckConstraint(condition=models.Q(('forced', False), models.Q(('reason', ''), _negated=True), _connector='OR'), name='flag_forced_has_reason')],
            },
        ),
        migrations.RunPython(ship, migrations.RunPython.noop),
    ]
