"""An original is written together with its job, once its object is stored: no row waits for an upload any more."""

from django.db import migrations, models


def give_up_pending(apps, schema_editor):
    """Uploads that were under way: housekeeping removes what they may have stored, as it would have done."""
    apps.get_model('media_jobs', 'Original').objects.filter(state='pending').update(state='deleted')


class Migration(migrations.Migration):

    dependencies = [
        ('media_jobs', '0006_standard_words'),
    ]

    operations = [
        migrations.RunPython(give_up_pending, migrations.RunPython.noop),
        migrations.RemoveConstraint('original', 'original_state_known'),
        migrations.AlterField(
            'original',
            'state',
            models.CharField(
                choices=[('staged', 'staged'), ('active', 'active'), ('deleted', 'deleted')], max_length=16
            ),
        ),
        migrations.AddConstraint(
            'original',
            models.CheckConstraint(
                condition=models.Q(('state__in', ['staged', 'active', 'deleted'])), name='original_state_known'
            ),
        ),
    ]
