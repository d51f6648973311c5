"""Products and instructions; what is stored, by kind and owner; what is exchanged by NATS. Ships the product `gallformers`, open to all."""
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import media_jobs.models.base
import media_jobs.states
from django.db import migrations, models


from media_jobs.adapters import triggers

_COUNT_STORED = """
INSERT INTO media_jobs_storedentry (owner, kind, objects_more, bytes_more)
SELECT owner, 'original', COUNT(*), SUM(size_bytes) FROM media_jobs_original
WHERE state IN ('active', 'deleted') AND size_bytes > 0 GROUP BY owner
UNION ALL
SELECT o.owner, CASE d.state WHEN 'current' THEN 'derivative' ELSE 'replaced' END, COUNT(*), SUM(d.size_bytes)
FROM media_jobs_derivative d JOIN media_jobs_original o ON o.id = d.original_id
WHERE d.state <> 'pending' GROUP BY 1, 2
"""


def ship(apps, schema_editor):
    apps.get_model('media_jobs', 'Product').objects.create(name='gallformers', preset='gallformers', open_to_all=True)


def count_stored(apps, schema_editor):
    """From here on triggers count: nobody may write in between."""
    if schema_editor.connection.vendor == 'postgresql':
        schema_editor.execute('LOCK TABLE media_jobs_original, media_jobs_derivative IN SHARE ROW EXCLUSIVE MODE')
    schema_editor.execute(_COUNT_STORED)
    if schema_editor.connection.vendor == 'postgresql':
        triggers.install()  # on SQLite after the last migration: those that follow change tables that triggers name


def remove_triggers(apps, schema_editor):
    triggers.remove()


class Migration(migrations.Migration):

    dependencies = [
        ('media_jobs', '0015_imports'),
    ]

    operations = [
        migrations.AddField(
            model_name='job',
            name='limits',
            field=models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict, help_text='Most bytes and pixels, and formats, by its product; the service’s own limits count, too.'),
        ),
        migrations.CreateModel(
            name='Product',
            fields=[
                ('id', models.UUIDField(default=media_jobs.models.base.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.SlugField(max_length=64, unique=True)),
                ('preset', models.SlugField(help_text='The name of a preset; its current version counts.', max_length=32)),
                ('active', models.BooleanField(default=True, help_text='Takes new instructions and files.')),
                ('open_to_all', models.BooleanField(default=False, help_text='Whoever may call may use it.', verbose_name='open to all')),
                ('owners', models.TextField(blank=True, help_text='Else: one caller a line, such as key:web. A key stands for all of its users, too.')),
                ('max_bytes', models.PositiveBigIntegerField(blank=True, help_text='Empty: the service’s own limit alone.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='most bytes of a file')),
                ('max_pixels', models.PositiveBigIntegerField(blank=True, help_text='Empty: the service’s own limit alone.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='most pixels of a picture')),
                ('files_per_instruction', models.PositiveBigIntegerField(blank=True, help_text='Empty: no limit.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='most files of an instruction')),
                ('files_per_day', models.PositiveBigIntegerField(blank=True, help_text='Of UTC. Empty: no limit.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='most files of a caller in a day')),
                ('formats', models.JSONField(blank=True, default=list, help_text='Formats that are taken, such as [“jpeg”, “png”]; empty: all.')),
                ('done_days', models.PositiveSmallIntegerField(blank=True, help_text='Then the file and all that was made of it go. Empty: kept.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='days that finished files are kept')),
                ('failed_days', models.PositiveSmallIntegerField(blank=True, help_text='Then the file and all that was made of it go. Empty: kept.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='days that failed files are kept')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='created')),
            ],
            options={
                'ordering': ['name'],
                'constraints': [models.CheckConstraint(condition=models.Q(('max_bytes', None), ('max_bytes__gt', 0), _connector='OR'), name='product_takes_bytes'), models.CheckConstraint(condition=models.Q(('max_pixels', None), ('max_pixels__gt', 0), _connector='OR'), name='product_takes_pixels')],
            },
        ),
        migrations.CreateModel(
            name='Instruction',
            fields=[
                ('id', models.UUIDField(default=media_jobs.models.base.uuid7, editable=False, primary_key=True, serialize=False)),
                ('owner', models.CharField(max_length=255)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField(editable=False, verbose_name='created')),
                ('changed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='changed')),
                ('queued', models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='Files that are queued.')),
                ('processing', models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='Files that are processing.')),
                ('done', models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='Files that are done.')),
                ('failed', models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='Files that are failed.')),
                ('cancelled', models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='Files that are cancelled.')),
                ('status', models.GeneratedField(db_persist=True, expression=models.Case(models.When(processing__gt=0, then=models.Value('processing')), models.When(models.Q(('queued__gt', 0), models.Q(('done__gt', 0), ('failed__gt', 0), ('cancelled__gt', 0), _connector='OR')), then=models.Value('processing')), models.When(models.Q(('failed__gt', 0), ('cancelled__gt', 0), _connector='OR'), then=models.Value('failed')), models.When(models.Q(('queued', 0), ('done__gt', 0)), then=models.Value('done')), default=models.Value('pending')), output_field=models.CharField(choices=[('pending', 'pending'), ('processing', 'processing'), ('done', 'done'), ('failed', 'failed')], max_length=16))),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='instructions', to='media_jobs.product')),
            ],
        ),
        migrations.CreateModel(
            name='ProductDay',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('owner', models.CharField(max_length=255)),
                ('day', models.DateField(db_index=True)),
                ('files', models.PositiveIntegerField(default=0)),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='days', to='media_jobs.product')),
            ],
        ),
        migrations.CreateModel(
            name='StoredEntry',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('owner', models.CharField(max_length=255)),
                ('kind', models.CharField(choices=[('original', 'original'), ('derivative', 'derivative'), ('replaced', 'replaced')], max_length=16)),
                ('objects_more', models.BigIntegerField()),
                ('bytes_more', models.BigIntegerField()),
            ],
            options={
                'verbose_name': 'stored amount',
                'indexes': [models.Index(fields=['owner', 'kind'], name='stored_of_owner')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['original', 'derivative', 'replaced'])), name='stored_kind_known')],
            },
        ),
        migrations.CreateModel(
            name='UploadPlace',
            fields=[
                ('id', models.UUIDField(default=media_jobs.models.base.uuid7, editable=False, primary_key=True, serialize=False)),
                ('owner', models.CharField(max_length=255)),
                ('day', models.DateField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('instruction', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='places', to='media_jobs.instruction')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='media_jobs.product')),
            ],
        ),
        migrations.CreateModel(
            name='InstructionDetail',
            fields=[
                ('id', models.UUIDField(default=media_jobs.models.base.uuid7, editable=False, primary_key=True, serialize=False)),
                ('owner', models.CharField(help_text='The instruction’s.', max_length=255)),
                ('filename', models.CharField(blank=True, max_length=255)),
                ('content_type', models.CharField(max_length=64)),
                ('size_bytes', models.PositiveBigIntegerField(blank=True, help_text='Empty: not checked yet.', null=True)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('state', models.CharField(choices=[('queued', 'queued'), ('processing', 'processing'), ('done', 'done'), ('failed', 'failed'), ('cancelled', 'cancelled')], default=media_jobs.states.JobState['QUEUED'], max_length=16)),
                ('code', models.CharField(blank=True, default='', max_length=32)),
                ('problem', models.TextField(blank=True, default='')),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('instruction', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='details', to='media_jobs.instruction')),
                ('job', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='instruction_detail', to='media_jobs.job')),
            ],
            options={
                'indexes': [models.Index(fields=['instruction', '-id'], name='detail_newest'), models.Index(condition=models.Q(('job__isnull', False)), fields=['owner', '-id'], name='detail_uncleaned_of_owner'), models.Index(condition=models.Q(('job__isnull', False)), fields=['-id'], name='detail_uncleaned'), models.Index(condition=models.Q(('job__isnull', False)), fields=['state', 'finished_at'], name='detail_ended')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'processing', 'done', 'failed', 'cancelled'])), name='detail_state_known')],
            },
        ),
        migrations.AddIndex(
            model_name='instruction',
            index=models.Index(fields=['owner', '-id'], name='instruction_newest'),
        ),
        migrations.AddIndex(
            model_name='instruction',
            index=models.Index(fields=['owner', 'status', '-id'], name='instruction_status_newest'),
        ),
        migrations.AddConstraint(
            model_name='productday',
            constraint=models.UniqueConstraint(fields=('product', 'owner', 'day'), name='product_day_once'),
        ),
        migrations.AddIndex(
            model_name='uploadplace',
            index=models.Index(fields=['product', 'owner', 'day'], name='place_of_day'),
        ),
        migrations.AddIndex(
            model_name='uploadplace',
            index=models.Index(fields=['created_at'], name='place_age'),
        ),
        migrations.CreateModel(
            name='ImageRequest',
            fields=[
                ('id', models.UUIDField(default=media_jobs.models.base.uuid7, editable=False, primary_key=True, serialize=False)),
                ('identity', models.CharField(help_text='sha256 of its key and its requestId.', max_length=64, unique=True)),
                ('key', models.CharField(help_text='The object that it names.', max_length=255)),
                ('owner', models.CharField(max_length=255)),
                ('job_id', models.UUIDField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='DeadLetter',
            fields=[
                ('id', models.UUIDField(default=media_jobs.models.base.uuid7, editable=False, primary_key=True, serialize=False)),
                ('subject', models.CharField(max_length=255)),
                ('stream', models.CharField(max_length=255)),
                ('sequence', models.PositiveBigIntegerField(help_text='Its place in the stream.')),
                ('payload', models.TextField(help_text='Its beginning, as text.')),
                ('digest', models.CharField(help_text='sha256 of the whole: a stream that was made anew counts anew.', max_length=64)),
                ('size_bytes', models.PositiveIntegerField()),
                ('deliveries', models.PositiveIntegerField(help_text='How often it came.')),
                ('code', models.CharField(help_text='The reason, for machines.', max_length=32)),
                ('detail', models.TextField(help_text='The reason, for people.')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True, verbose_name='came')),
            ],
            options={
                'verbose_name': 'dead letter',
                'constraints': [models.UniqueConstraint(fields=('stream', 'sequence', 'digest'), name='dead_letter_once')],
            },
        ),
        migrations.CreateModel(
            name='NatsRelay',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('transaction_id', models.BigIntegerField(default=0)),
                ('event_id', models.BigIntegerField(default=0)),
                ('holder', models.CharField(blank=True, max_length=255)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='nats_relay_is_one')],
            },
        ),
        migrations.RunPython(ship, migrations.RunPython.noop),
        migrations.RunPython(count_stored, remove_triggers),
    ]
