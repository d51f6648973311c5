"""Webhooks: endpoints, what is sent to them, and how far the reader of events is."""

import django.db.models.deletion
import django.db.models.functions.datetime
import media_jobs.models.base
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('media_jobs', '0009_callers'),
    ]

    operations = [
        migrations.CreateModel(
            name='WebhookCursor',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('transaction_id', models.BigIntegerField(default=0)),
                ('event_id', models.BigIntegerField(default=0)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='webhook_cursor_is_one')],
            },
        ),
        migrations.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', models.UUIDField(default=media_jobs.models.base.uuid7, editable=False, primary_key=True, serialize=False)),
                ('owner', models.CharField(help_text='Whose jobs it is told of: a caller, such as key:web.', max_length=255)),
                ('url', models.CharField(help_text='Where events are posted to.', max_length=2000, verbose_name='address')),
                ('event_types', models.JSONField(help_text='Which events are sent.')),
                ('secret', models.CharField(editable=False, max_length=100)),
                ('previous_secret', models.CharField(blank=True, editable=False, max_length=100)),
                ('previous_until', models.DateTimeField(blank=True, editable=False, null=True)),
                ('after_transaction', models.BigIntegerField(default=0, editable=False)),
                ('after_event', models.BigIntegerField(default=0, editable=False)),
                ('failures', models.PositiveIntegerField(default=0, editable=False, help_text='Failed attempts since the last good.')),
                ('failing_since', models.DateTimeField(blank=True, editable=False, null=True)),
                ('disabled_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('disabled_reason', models.TextField(blank=True, editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'verbose_name': 'webhook',
                'permissions': [('test_webhookendpoint', 'Can send a test event to a webhook')],
                'indexes': [models.Index(fields=['owner'], name='webhook_owner')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('disabled_at', None), ('disabled_reason', '')), models.Q(models.Q(('disabled_at', None), _negated=True), models.Q(('disabled_reason', ''), _negated=True)), _connector='OR'), name='webhook_disabled_has_reason'), models.CheckConstraint(condition=models.Q(('secret', ''), _negated=True), name='webhook_has_secret')],
            },
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.UUIDField(default=media_jobs.models.base.uuid7, editable=False, primary_key=True, serialize=False)),
                ('message_id', models.CharField(help_text='The header webhook-id: the same however often it is sent.', max_length=64)),
                ('type', models.CharField(choices=[('job.queued', 'job.queued'), ('job.started', 'job.started'), ('job.done', 'job.done'), ('job.failed', 'job.failed'), ('job.cancelled', 'job.cancelled'), ('job.retried', 'job.retried'), ('webhook.test', 'webhook.test')], max_length=32)),
                ('job_id', models.UUIDField(blank=True, null=True)),
                ('event_number', models.PositiveIntegerField(blank=True, null=True)),
                ('payload', models.TextField()),
                ('state', models.CharField(choices=[('pending', 'pending'), ('delivered', 'delivered'), ('failed', 'failed')], default='pending', max_length=16)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('attempts_before', models.PositiveSmallIntegerField(default=0, help_text='Attempts before the last replay.')),
                ('next_at', models.DateTimeField(blank=True, db_default=django.db.models.functions.datetime.Now(), help_text='When it is sent next.', null=True)),
                ('not_before', models.DateTimeField(blank=True, help_text="The receiver's Retry-After.", null=True)),
                ('lease_until', models.DateTimeField(blank=True, help_text='Somebody is sending it until then.', null=True)),
                ('response_status', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('response_body', models.TextField(blank=True, help_text='Its beginning.')),
                ('response_ms', models.PositiveIntegerField(blank=True, null=True)),
                ('code', models.CharField(blank=True, help_text='Why it failed, for machines.', max_length=32)),
                ('detail', models.TextField(blank=True, help_text='Why it failed, for people.')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='media_jobs.webhookendpoint', verbose_name='webhook')),
            ],
            options={
                'verbose_name': 'webhook delivery',
                'verbose_name_plural': 'webhook deliveries',
                'permissions': [('replay_webhookdelivery', 'Can send webhook deliveries again')],
                'indexes': [models.Index(condition=models.Q(('state', 'pending')), fields=['endpoint', 'next_at'], name='delivery_due'), models.Index(fields=['endpoint', '-id'], name='delivery_newest'), models.Index(fields=['state', '-id'], name='delivery_state_newest'), models.Index(fields=['job_id'], name='delivery_job'), models.Index(fields=['created_at'], name='delivery_age')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'delivered', 'failed'])), name='delivery_state_known'), models.UniqueConstraint(fields=('endpoint', 'message_id'), name='delivery_once'), models.CheckConstraint(condition=models.Q(models.Q(('next_at__isnull', False), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('next_at', None)), _connector='OR'), name='delivery_pending_has_time')],
            },
        ),
    ]
