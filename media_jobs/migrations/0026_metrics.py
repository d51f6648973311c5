"""What /metrics tells is counted by triggers, which are made, and told what is there, after the last migration."""
import django.db.models.functions.datetime
import media_jobs.states
from django.db import migrations, models

from media_jobs.adapters import metric_triggers


def remove_triggers(apps, schema_editor):
    """On the way back: they write into a table that goes."""
    metric_triggers.remove()


class Migration(migrations.Migration):

    dependencies = [
        ('media_jobs', '0025_shadows'),
    ]

    operations = [
        migrations.CreateModel(
            name='MetricEntry',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('metric', models.CharField(choices=[('jobs', 'jobs'), ('job_duration', 'job_duration'), ('job_wait', 'job_wait'), ('stage_duration', 'stage_duration'), ('upload_bytes', 'upload_bytes'), ('derivative_bytes', 'derivative_bytes'), ('sandbox_restarts', 'sandbox_restarts'), ('queue_depth', 'queue_depth'), ('storage', 'storage')], max_length=32)),
                ('label', models.CharField(blank=True, max_length=32)),
                ('le_ms', models.PositiveIntegerField(help_text='The bucket of a duration; none, or beyond the last one.', null=True)),
                ('count_more', models.BigIntegerField()),
                ('sum_more', models.BigIntegerField(help_text='Bytes, or milliseconds.')),
            ],
            options={
                'verbose_name': 'counted amount',
            },
        ),
        migrations.CreateModel(
            name='WorkerProcess',
            fields=[
                ('name', models.CharField(help_text='As in the leases of its jobs.', max_length=255, primary_key=True, serialize=False)),
                ('host', models.CharField(max_length=255)),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('seen_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='job',
            name='fetch_ms',
            field=models.PositiveIntegerField(blank=True, help_text='Getting the original.', null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='store_ms',
            field=models.PositiveIntegerField(blank=True, help_text='Storing what was made.', null=True),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('state', media_jobs.states.JobState['QUEUED'])), fields=['lane', 'not_before'], name='job_queue_oldest'),
        ),
        migrations.AddConstraint(
            model_name='metricentry',
            constraint=models.CheckConstraint(condition=models.Q(('metric__in', ['jobs', 'job_duration', 'job_wait', 'stage_duration', 'upload_bytes', 'derivative_bytes', 'sandbox_restarts', 'queue_depth', 'storage'])), name='metric_known'),
        ),
        migrations.RunPython(migrations.RunPython.noop, remove_triggers),
    ]
