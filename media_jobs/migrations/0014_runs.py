"""Reprocess runs with their ledgers; originals and derivatives know what decides the bytes of derivatives."""

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import media_jobs.models.base
import media_jobs.states
from django.db import migrations, models

from media_jobs.keys import digest_of
from media_jobs.pipeline import recipes
from media_jobs.pipeline.values import Focus, Overrides, Rights, digest, ingredient_digest

_PAGE = 1_000
#: Of a derivative whose key says that it was made with other rights or overrides than there are now: it is stale.
_UNKNOWN = 'unknown'


def note_ingredients(apps, schema_editor):
    """Compute the digests of originals, and those of current derivatives as far as their keys confirm them."""
    original_model, derivative_model = apps.get_model('media_jobs', 'Original'), apps.get_model('media_jobs', 'Derivative')
    made_by = {(r.preset_id, r.name): _recipe(r) for r in apps.get_model('media_jobs', 'Rendition').objects.all()}
    for originals in _pages(original_model.objects.all()):
        values = {original.pk: (_overrides(original), _rights(original)) for original in originals}
        for original in originals:
            overrides, rights = values[original.pk]
            original.overrides_digest, original.rights_digest = ingredient_digest(overrides), ingredient_digest(rights)
        changed = [original for original in originals if original.overrides_digest or original.rights_digest]
        original_model.objects.bulk_update(changed, ['overrides_digest', 'rights_digest'])
        by_id = {original.pk: original for original in originals}
        noted = []
        for made in derivative_model.objects.filter(original__in=list(by_id), state='current'):
            original, (overrides, rights) = by_id[made.original_id], values[made.original_id]
            recipe = made_by.get((made.preset_id, made.rendition))
            as_now = recipe and digest_of(made.key) == digest(
                recipe, source_sha256=original.sha256, overrides=overrides, rights=rights, engine=made.engine
            )
            made.overrides_digest = original.overrides_digest
            made.rights_digest = original.rights_digest if as_now else _UNKNOWN
            if made.overrides_digest or made.rights_digest:
                noted.append(made)
        derivative_model.objects.bulk_update(noted, ['overrides_digest', 'rights_digest'])


def note_engine(apps, schema_editor):
    """What has rendered last is the engine of now, until a worker says otherwise."""
    latest = apps.get_model('media_jobs', 'Derivative').objects.order_by('-id').values_list('engine', flat=True).first()
    if latest:
        apps.get_model('media_jobs', 'EngineVersion').objects.create(name=latest)


def _pages(rows):
    page = list(rows.order_by('pk')[:_PAGE])
    while page:
        yield page
        page = list(rows.filter(pk__gt=page[-1].pk).order_by('pk')[:_PAGE])


def _overrides(original):
    focus = None if original.focus_x is None else Focus(float(original.focus_x), float(original.focus_y))
    return Overrides(original.rotation, focus)


def _rights(original):
    return Rights(original.creator, original.credit, original.copyright, original.licence, original.digital_source_type)


def _recipe(rendition):
    return recipes.Rendition(
        name=rendition.name,
        side_px=rendition.side_px,
        fit=recipes.Fit(rendition.fit),
        format=recipes.Format(rendition.format),
        quality=rendition.quality,
        crop=recipes.Crop(rendition.crop),
        effort=rendition.effort,
        progressive=rendition.progressive,
        chroma=recipes.Chroma(rendition.chroma),
        enlarge=rendition.enlarge,
    )


class Migration(migrations.Migration):

    dependencies = [
        ('media_jobs', '0013_installation'),
    ]

    operations = [
        migrations.CreateModel(
            name='EngineVersion',
            fields=[
                ('name', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('seen_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='ReprocessRun',
            fields=[
                ('id', models.UUIDField(default=media_jobs.models.base.uuid7, editable=False, primary_key=True, serialize=False)),
                ('owner', models.CharField(help_text='Who began it.', max_length=255)),
                ('images_of', models.CharField(blank=True, help_text='Only images of this caller; empty: of all callers.', max_length=255)),
                ('note', models.CharField(blank=True, help_text="What it is for, in a person's words.", max_length=255)),
                ('wanted', models.JSONField(blank=True, default=list, help_text='Names of the renditions to make.')),
                ('selection', models.JSONField(blank=True, default=dict, help_text='Which images: a selection.Selection.')),
                ('by', models.CharField(choices=[('workers', 'workers'), ('command', 'command')], default=media_jobs.states.RunBy['WORKERS'], max_length=16)),
                ('state', models.CharField(choices=[('draft', 'draft'), ('running', 'running'), ('pausing', 'pausing'), ('paused', 'paused'), ('interrupted', 'interrupted'), ('cancelling', 'cancelling'), ('cancelled', 'cancelled'), ('finished', 'finished'), ('rolling_back', 'rolling_back'), ('rolled_back', 'rolled_back'), ('accepted', 'accepted')], default=media_jobs.states.RunState['DRAFT'], max_length=16)),
                ('state_since', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('code', models.CharField(blank=True, help_text='Why it is in this state, for machines.', max_length=32)),
                ('detail', models.TextField(blank=True, help_text='Why it is in this state, for people.')),
                ('estimate', models.JSONField(blank=True, help_text='estimating.Estimate, made before it was confirmed.', null=True)),
                ('last_image', models.UUIDField(blank=True, help_text='Images that came after this one are not part of it.', null=True)),
                ('filled_to', models.UUIDField(blank=True, help_text='The ledger is whole up to this image.', null=True)),
                ('filled_at', models.DateTimeField(blank=True, help_text='When the ledger became whole.', null=True)),
                ('rate_per_minute', models.PositiveIntegerField(blank=True, help_text='Most images a minute.', null=True)),
                ('next_at', models.DateTimeField(blank=True, help_text='The rate allows the next image then.', null=True)),
                ('quiet_hours', models.CharField(blank=True, help_text="When nothing new is begun, as in 08:00-18:00, in the service's time zone.", max_length=11)),
                ('throttled_until', models.DateTimeField(blank=True, null=True)),
                ('throttle_s', models.FloatField(default=0, help_text='How long the last back-off was.')),
                ('throttle_reason', models.CharField(blank=True, max_length=32)),
                ('failure_limit', models.PositiveSmallIntegerField(default=20, help_text='Share of failures, in per cent, at which it stops and asks; 100: never.')),
                ('recent_done', models.PositiveIntegerField(default=0, help_text='Of the latest images that ended.')),
                ('recent_failed', models.PositiveIntegerField(default=0, help_text='Of the latest images that ended.')),
                ('total', models.PositiveIntegerField(default=0)),
                ('done', models.PositiveIntegerField(default=0)),
                ('skipped', models.PositiveIntegerField(default=0)),
                ('failed', models.PositiveIntegerField(default=0)),
                ('rolled_back', models.PositiveIntegerField(default=0)),
                ('worker', models.CharField(blank=True, help_text='Who does its bookkeeping.', max_length=255)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, help_text='When nothing was left to do.', null=True)),
                ('accepted_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'permissions': [('manage_reprocessrun', 'Can start, stop, accept and roll back reprocess runs')],
            },
        ),
        migrations.CreateModel(
            name='RunItem',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('todo', 'todo'), ('working', 'working'), ('done', 'done'), ('skipped', 'skipped'), ('failed', 'failed'), ('rolled_back', 'rolled_back')], default=media_jobs.states.RunItemState['TODO'], max_length=16)),
                ('code', models.CharField(blank=True, help_text='Why it was skipped, or why it failed.', max_length=32)),
                ('before', models.JSONField(blank=True, help_text="ledger.Before: what a roll back needs beside the derivatives' own rows.", null=True)),
                ('tallied', models.BooleanField(default=False)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='RunListedImage',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('image', models.UUIDField(help_text='Perhaps of no image that there is.')),
            ],
        ),
        migrations.AddField(
            model_name='derivative',
            name='overrides_digest',
            field=models.CharField(blank=True, db_default='', default='', help_text='Of rotation and focal point; empty: none.', max_length=32),
        ),
        migrations.AddField(
            model_name='derivative',
            name='replaced_by',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replaced', to='media_jobs.job'),
        ),
        migrations.AddField(
            model_name='derivative',
            name='rights_digest',
            field=models.CharField(blank=True, db_default='', default='', help_text='Of the embedded rights; empty: none.', max_length=32),
        ),
        migrations.AddField(
            model_name='original',
            name='overrides_digest',
            field=models.CharField(blank=True, db_default='', default='', editable=False, help_text='Empty: there are none.', max_length=32),
        ),
        migrations.AddField(
            model_name='original',
            name='refused_by',
            field=models.CharField(blank=True, db_default='', default='', help_text='The version of the engine that found so.', max_length=64),
        ),
        migrations.AddField(
            model_name='original',
            name='refused_code',
            field=models.CharField(blank=True, db_default='', default='', help_text='Why no picture can be made of this file.', max_length=32),
        ),
        migrations.AddField(
            model_name='original',
            name='rights_digest',
            field=models.CharField(blank=True, db_default='', default='', editable=False, help_text='Empty: there are none.', max_length=32),
        ),
        migrations.AddIndex(
            model_name='derivative',
            index=models.Index(condition=models.Q(('state', media_jobs.states.DerivativeState['CURRENT'])), fields=['preset', 'rendition', 'engine', 'original', 'rights_digest', 'overrides_digest'], name='derivative_made_by'),
        ),
        migrations.AddIndex(
            model_name='derivative',
            index=models.Index(condition=models.Q(('replaced_by__isnull', False)), fields=['replaced_by'], name='derivative_replaced_by'),
        ),
        migrations.AddIndex(
            model_name='original',
            index=models.Index(condition=models.Q(('deleted_at', None), ('state', 'active')), fields=['key'], include=('size_bytes',), name='original_there_by_key', opclasses=['varchar_pattern_ops']),
        ),
        migrations.AddIndex(
            model_name='original',
            index=models.Index(condition=models.Q(models.Q(('overrides_digest', ''), _negated=True), models.Q(('rights_digest', ''), _negated=True), _connector='OR'), fields=['id'], include=('overrides_digest', 'rights_digest'), name='original_special'),
        ),
        migrations.AddIndex(
            model_name='engineversion',
            index=models.Index(fields=['-seen_at'], name='engine_last_seen'),
        ),
        migrations.AddField(
            model_name='reprocessrun',
            name='preset',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='media_jobs.preset'),
        ),
        migrations.AddField(
            model_name='job',
            name='run',
            field=models.ForeignKey(blank=True, db_index=False, help_text='The run that it is a part of, if any.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='jobs', to='media_jobs.reprocessrun'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('run__isnull', False), ('state', media_jobs.states.JobState['QUEUED'])), fields=['run', 'queue_position', 'id'], name='job_queue_of_run'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('run__isnull', False)), fields=['run'], name='job_of_run'),
        ),
        migrations.AddField(
            model_name='runitem',
            name='job',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='run_item', to='media_jobs.job'),
        ),
        migrations.AddField(
            model_name='runitem',
            name='original',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='run_items', to='media_jobs.original'),
        ),
        migrations.AddField(
            model_name='runitem',
            name='run',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='items', to='media_jobs.reprocessrun'),
        ),
        migrations.AddField(
            model_name='runlistedimage',
            name='run',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='listed', to='media_jobs.reprocessrun'),
        ),
        migrations.AddIndex(
            model_name='reprocessrun',
            index=models.Index(fields=['owner', '-id'], name='run_owner_newest'),
        ),
        migrations.AddIndex(
            model_name='reprocessrun',
            index=models.Index(condition=models.Q(('state__in', [media_jobs.states.RunState['RUNNING'], media_jobs.states.RunState['PAUSING'], media_jobs.states.RunState['CANCELLING'], media_jobs.states.RunState['ROLLING_BACK']])), fields=['state', 'id'], name='run_active'),
        ),
        migrations.AddConstraint(
            model_name='reprocessrun',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'running', 'pausing', 'paused', 'interrupted', 'cancelling', 'cancelled', 'finished', 'rolling_back', 'rolled_back', 'accepted'])), name='run_state_known'),
        ),
        migrations.AddConstraint(
            model_name='reprocessrun',
            constraint=models.CheckConstraint(condition=models.Q(('by__in', ['workers', 'command'])), name='run_by_known'),
        ),
        migrations.AddConstraint(
            model_name='reprocessrun',
            constraint=models.CheckConstraint(condition=models.Q(('failure_limit__gte', 1), ('failure_limit__lte', 100)), name='run_failure_limit_is_per_cent'),
        ),
        migrations.AddConstraint(
            model_name='reprocessrun',
            constraint=models.CheckConstraint(condition=models.Q(('total__gte', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('done'), '+', models.F('skipped')), '+', models.F('failed')), '+', models.F('rolled_back')))), name='run_counts_fit'),
        ),
        migrations.AddIndex(
            model_name='runitem',
            index=models.Index(fields=['run', 'state', 'original'], name='run_item_by_state'),
        ),
        migrations.AddIndex(
            model_name='runitem',
            index=models.Index(condition=models.Q(('tallied', False), ('state__in', [media_jobs.states.RunItemState['DONE'], media_jobs.states.RunItemState['SKIPPED'], media_jobs.states.RunItemState['FAILED']])), fields=['run'], name='run_item_to_tally'),
        ),
        migrations.AddConstraint(
            model_name='runitem',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['todo', 'working', 'done', 'skipped', 'failed', 'rolled_back'])), name='run_item_state_known'),
        ),
        migrations.AddConstraint(
            model_name='runitem',
            constraint=models.UniqueConstraint(fields=('run', 'original'), name='run_item_once'),
        ),
        migrations.AddConstraint(
            model_name='runitem',
            constraint=models.UniqueConstraint(condition=models.Q(('state', media_jobs.states.RunItemState['WORKING'])), fields=('original',), name='run_item_one_at_work'),
        ),
        migrations.AddConstraint(
            model_name='runitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', [media_jobs.states.RunItemState['SKIPPED'], media_jobs.states.RunItemState['FAILED']]), _negated=True), models.Q(('code', ''), _negated=True), _connector='OR'), name='run_item_has_code'),
        ),
        migrations.AddConstraint(
            model_name='runlistedimage',
            constraint=models.UniqueConstraint(fields=('run', 'image'), name='run_listed_once'),
        ),
        migrations.RunPython(note_ingredients, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(note_engine, migrations.RunPython.noop, elidable=True),
    ]
