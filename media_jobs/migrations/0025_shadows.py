"""Shadows, and the preset that makes what the site of Gallformers makes by itself: version 1 of `gallformers-legacy`."""

import django.db.models.deletion
import django.db.models.functions.datetime
import media_jobs.models.base
import media_jobs.states
from django.db import migrations, models

from media_jobs.migrations._groups import grant

VIEWER = ("media_jobs.view_shadow",)
CURATOR = (*VIEWER, "media_jobs.judge_shadow")

# Written out, because a migration must not change when the code's recipes do.
LEGACY = [
    ("xlarge", 2000, "width", "source", 82),
    ("large", 1200, "width", "source", 82),
    ("medium", 800, "width", "source", 82),
    ("small", 300, "width", "source", 82),
]


def ship(apps, schema_editor):
    Preset = apps.get_model("media_jobs", "Preset")
    Rendition = apps.get_model("media_jobs", "Rendition")
    grant(apps, {"Viewer": VIEWER, "Curator": CURATOR, "Operator": CURATOR})
    if Preset.objects.filter(name="gallformers-legacy").exists():  # somebody has made one
        return
    preset = Preset.objects.create(name="gallformers-legacy", version=1, current=True)
    Rendition.objects.bulk_create(
        Rendition(preset=preset, name=r, side_px=side, fit=fit, format=fmt, quality=quality)
        for r, side, fit, fmt, quality in LEGACY
    )


class Migration(migrations.Migration):

    dependencies = [
        ('media_jobs', '0024_feature_flags'),
    ]

    operations = [
        migrations.CreateModel(
            name='Shadow',
            fields=[
                ('id', models.UUIDField(default=media_jobs.models.base.uuid7, editable=False, primary_key=True, serialize=False)),
                ('legacy_key', models.CharField(help_text="Of the site's own original; its sizes have names beside it.", max_length=255, unique=True)),
                ('owner', models.CharField(help_text='Who asked for it.', max_length=255)),
                ('state', models.CharField(choices=[('fetching', 'fetching'), ('rendering', 'rendering'), ('due', 'due'), ('compared', 'compared'), ('failed', 'failed')], max_length=16)),
                ('due_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='A worker takes it from then on.')),
                ('worker', models.CharField(blank=True, default='', max_length=255)),
                ('attempts', models.PositiveSmallIntegerField(default=0, help_text='How often a worker has taken it in this state.')),
                ('code', models.CharField(blank=True, default='', help_text='Why it failed, for machines.', max_length=32)),
                ('detail', models.TextField(blank=True, default='', help_text='Why it failed, for people.')),
                ('verdict', models.CharField(blank=True, choices=[('same', 'same'), ('better', 'better'), ('different', 'different'), ('worse', 'worse'), ('missing', 'missing')], default='', max_length=16)),
                ('reason', models.CharField(blank=True, default='', help_text='compare.values.Reason', max_length=32)),
                ('sentence', models.TextField(blank=True, default='', help_text='What decided it, for people.')),
                ('measures', models.JSONField(blank=True, help_text='compare.values.Measures', null=True)),
                ('sizes', models.JSONField(blank=True, default=list, help_text='compare.values.SizeJudgement of each size.')),
                ('judge', models.CharField(blank=True, default='', help_text='The version of rules that judged.', max_length=64)),
                ('engine', models.CharField(blank=True, default='', help_text='The version that made ours.', max_length=64)),
                ('compared_at', models.DateTimeField(blank=True, null=True)),
                ('judged_as', models.CharField(blank=True, choices=[('same', 'same'), ('better', 'better'), ('different', 'different'), ('worse', 'worse'), ('missing', 'missing')], default='', max_length=16)),
                ('judged_note', models.TextField(blank=True, default='')),
                ('judged_by', models.CharField(blank=True, default='', max_length=255)),
                ('judged_at', models.DateTimeField(blank=True, null=True)),
                ('ruling', models.GeneratedField(db_persist=True, expression=models.Case(models.When(models.Q(('judged_as', ''), _negated=True), then=models.F('judged_as')), models.When(state__in=[media_jobs.states.ShadowState['COMPARED'], media_jobs.states.ShadowState['DUE']], then=models.F('verdict')), default=models.Value('')), help_text="The verdict that counts: a person's, or else that of the comparison. Empty: neither.", output_field=models.CharField(max_length=16))),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('job', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='shadow', to='media_jobs.job')),
                ('original', models.OneToOneField(blank=True, help_text='Empty: not fetched yet, or the time for which it is kept is over.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='shadow', to='media_jobs.original')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('judge_shadow', 'Can say what comparisons of shadows mean')],
                'default_permissions': ('view',),
                'indexes': [models.Index(condition=models.Q(('state__in', [media_jobs.states.ShadowState['FETCHING'], media_jobs.states.ShadowState['DUE']])), fields=['due_at', 'id'], name='shadow_due'), models.Index(condition=models.Q(('state', media_jobs.states.ShadowState['RENDERING'])), fields=['id'], name='shadow_rendering'), models.Index(condition=models.Q(('state__in', [media_jobs.states.ShadowState['FETCHING'], media_jobs.states.ShadowState['RENDERING'], media_jobs.states.ShadowState['DUE']])), fields=['state'], name='shadow_unfinished'), models.Index(fields=['created_at', 'ruling', 'state'], name='shadow_scoreboard'), models.Index(condition=models.Q(('judged_as', '')), fields=['verdict', '-id'], name='shadow_to_judge'), models.Index(fields=['ruling', '-id'], name='shadow_by_ruling'), models.Index(condition=models.Q(('judged_as', ''), _negated=True), fields=['-id'], name='shadow_by_people')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['fetching', 'rendering', 'due', 'compared', 'failed'])), name='shadow_state_known'), models.CheckConstraint(condition=models.Q(('verdict__in', ['', 'same', 'better', 'different', 'worse', 'missing'])), name='shadow_verdict_known'), models.CheckConstraint(condition=models.Q(('judged_as__in', ['', 'same', 'better', 'different', 'worse', 'missing'])), name='shadow_judged_known'), models.CheckConstraint(condition=models.Q(models.Q(('state', media_jobs.states.ShadowState['COMPARED']), _negated=True), models.Q(models.Q(('verdict', ''), _negated=True), ('compared_at__isnull', False)), _connector='OR'), name='shadow_compared_has_verdict'), models.CheckConstraint(condition=models.Q(models.Q(('state', media_jobs.states.ShadowState['FAILED']), _negated=True), models.Q(('code', ''), _negated=True), _connector='OR'), name='shadow_failed_has_code')],
            },
        ),
        migrations.RunPython(ship, migrations.RunPython.noop),
    ]
