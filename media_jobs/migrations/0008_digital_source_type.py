"""Pictures say how they were made, such as by AI."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('media_jobs', '0007_uploads_are_one_transaction'),
    ]

    operations = [
        migrations.AddField(
            model_name='original',
            name='digital_source_type',
            field=models.TextField(blank=True, db_default='', default='', help_text="How it was made, such as by AI: the address of a term of IPTC's."),
        ),
    ]
