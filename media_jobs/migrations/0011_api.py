"""Images have tags, rights that a person has stated, and can be deleted and restored."""


import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('media_jobs', '0010_webhooks'),
    ]

    operations = [
        migrations.CreateModel(
            name='Tag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=64)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.AddField(
            model_name='original',
            name='deleted_at',
            field=models.DateTimeField(blank=True, help_text='When a person deleted the image. It can be restored for RESTORE_DAYS.', null=True),
        ),
        migrations.AddField(
            model_name='original',
            name='rights_in_file',
            field=models.JSONField(blank=True, help_text='values.Rights as the file has them; null: not read yet, or by version 0.1.', null=True),
        ),
        migrations.AddField(
            model_name='original',
            name='stated_rights',
            field=models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict, help_text='Fields of values.Rights that a person has stated; the file decides the others.'),
        ),
        migrations.AddIndex(
            model_name='original',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='original_deleted'),
        ),
        migrations.AddField(
            model_name='tag',
            name='original',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='media_jobs.original'),
        ),
        migrations.AddIndex(
            model_name='tag',
            index=models.Index(fields=['name', 'original'], name='tag_images'),
        ),
        migrations.AddConstraint(
            model_name='tag',
            constraint=models.UniqueConstraint(fields=('original', 'name'), name='tag_once'),
        ),
    ]
