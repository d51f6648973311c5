"""The field's words in place of private ones. Nothing else changes; a task of housekeeping that is gone is forgotten."""

from django.db import migrations, models

_RENAMED = {'chore': ('maintenancetask', 'maintenance task')}


def rename_permissions(apps, schema_editor):
    """Whoever may see the page of the tasks may still: Django names permissions after models, and leaves old ones."""
    Permission = apps.get_model('auth', 'Permission')
    for old, (new, title) in _RENAMED.items():
        for action in ('add', 'change', 'delete', 'view'):
            ours = Permission.objects.filter(content_type__app_label='media_jobs')
            if not ours.filter(codename=f'{action}_{new}').exists():  # as after a migration back and forth
                ours.filter(codename=f'{action}_{old}').update(
                    codename=f'{action}_{new}', name=f'Can {action} {title}'
                )


def forget_queue_task(apps, schema_editor):
    apps.get_model('media_jobs', 'MaintenanceTask').objects.filter(name='queue').delete()


class Migration(migrations.Migration):

    dependencies = [
        ('media_jobs', '0005_direct_upload'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
    ]

    operations = [
        # They cover what waits only, and a renamed field is lost on them.
        migrations.RemoveIndex('job', 'job_turns'),
        migrations.RemoveIndex('job', 'job_turns_of_owner'),
        migrations.RenameField('job', 'turn', 'queue_position'),
        migrations.AlterField(
            'job',
            'queue_position',
            models.BigIntegerField(
                db_default=0, default=0, help_text='The lowest of a lane is next: see transitions.next_position.'
            ),
        ),
        migrations.AddIndex(
            'job',
            models.Index(
                fields=['lane', 'queue_position', 'id'], condition=models.Q(state='queued'), name='job_queue_order'
            ),
        ),
        migrations.AddIndex(
            'job',
            models.Index(
                fields=['lane', 'owner', '-queue_position'],
                condition=models.Q(state='queued'),
                name='job_queue_order_of_owner',
            ),
        ),
        migrations.RemoveIndex('tombstone', 'tombstone_age'),
        migrations.RenameField('tombstone', 'doomed', 'deleting'),
        migrations.AddIndex('tombstone', models.Index(fields=['deleting', 'created_at'], name='tombstone_age')),
        migrations.RenameModel('Chore', 'MaintenanceTask'),
        migrations.AlterModelOptions(
            'maintenancetask',
            {'ordering': ['name'], 'verbose_name': 'maintenance task', 'verbose_name_plural': 'maintenance tasks'},
        ),
        migrations.RenameField('maintenancetask', 'mended', 'repaired'),
        migrations.AlterField(
            'preset',
            'failed_days',
            models.PositiveSmallIntegerField(
                blank=True,
                help_text='After so many days originals of which no picture could be made are deleted; empty: never, '
                'so that curators can retry them. The current version decides.',
                null=True,
                verbose_name='days that failed originals are kept',
            ),
        ),
        migrations.RunPython(forget_queue_task, migrations.RunPython.noop),
        migrations.RunPython(rename_permissions, migrations.RunPython.noop),
    ]
