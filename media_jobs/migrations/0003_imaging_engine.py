"""What the imaging engine says of a picture, what its uploader asks for, and how it is encoded.

On PostgreSQL no table is rewritten: new columns are empty or have a constant default, which the database keeps, so
that a process of the version before may go on inserting rows meanwhile.
"""

import django.core.validators
import media_jobs.pipeline.recipes
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('media_jobs', '0002_shipped_presets'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='rendition',
            name='rendition_fit_known',
        ),
        migrations.RemoveConstraint(
            model_name='rendition',
            name='rendition_format_known',
        ),
        migrations.AddField(
            model_name='job',
            name='cpu_ms',
            field=models.PositiveIntegerField(blank=True, help_text='Processor time in the sandbox.', null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='peak_memory_bytes',
            field=models.PositiveBigIntegerField(blank=True, help_text='Resident memory of the sandbox at its highest.', null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='receipt',
            field=models.JSONField(blank=True, help_text='values.Receipt: names of what was found, kept and dropped, never values.', null=True),
        ),
        migrations.AddField(
            model_name='original',
            name='copyright',
            field=models.TextField(blank=True, db_default='', default='', help_text='Who holds the rights.'),
        ),
        migrations.AddField(
            model_name='original',
            name='creator',
            field=models.TextField(blank=True, db_default='', default='', help_text='Who made the picture.'),
        ),
        migrations.AddField(
            model_name='original',
            name='credit',
            field=models.TextField(blank=True, db_default='', default='', help_text='Whom to name beside it.'),
        ),
        migrations.AddField(
            model_name='original',
            name='dominant_colour',
            field=models.CharField(blank=True, db_default='', default='', help_text='#rrggbb', max_length=7),
        ),
        migrations.AddField(
            model_name='original',
            name='focus_x',
            field=models.FloatField(blank=True, help_text='The point that matters, as a fraction of the width.', null=True),
        ),
        migrations.AddField(
            model_name='original',
            name='focus_y',
            field=models.FloatField(blank=True, help_text='The point that matters, as a fraction of the height.', null=True),
        ),
        migrations.AddField(
            model_name='original',
            name='licence',
            field=models.TextField(blank=True, db_default='', default='', help_text='The address of its licence.'),
        ),
        migrations.AddField(
            model_name='original',
            name='orientation',
            field=models.PositiveSmallIntegerField(blank=True, help_text="The file's EXIF tag, 1 to 8.", null=True),
        ),
        migrations.AddField(
            model_name='original',
            name='placeholder',
            field=models.TextField(blank=True, db_default='', default='', help_text='A tiny picture as a data URI, to be shown until the real one is there.'),
        ),
        migrations.AddField(
            model_name='original',
            name='preserve',
            field=models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict, help_text='Switches of values.Keep that were sent along; the settings decide the others.'),
        ),
        migrations.AddField(
            model_name='original',
            name='private_metadata',
            field=models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict, help_text='Position and serial numbers, where they are kept: for those only who may read the file itself.'),
        ),
        migrations.AddField(
            model_name='original',
            name='rotation',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, help_text='Degrees clockwise, on top of what the file says.'),
        ),
        migrations.AddField(
            model_name='rendition',
            name='chroma',
            field=models.CharField(choices=[('auto', 'auto'), ('4:2:0', '4:2:0'), ('4:4:4', '4:4:4')], db_default=media_jobs.pipeline.recipes.Chroma['AUTO'], default=media_jobs.pipeline.recipes.Chroma['AUTO'], help_text='How finely colour is stored. auto suits format and quality.', max_length=16),
        ),
        migrations.AddField(
            model_name='rendition',
            name='crop',
            field=models.CharField(choices=[('centre', 'centre'), ('attention', 'attention')], db_default=media_jobs.pipeline.recipes.Crop['CENTRE'], default=media_jobs.pipeline.recipes.Crop['CENTRE'], help_text='Where cover cuts, if the upload names no focal point.', max_length=16),
        ),
        migrations.AddField(
            model_name='rendition',
            name='effort',
            field=models.PositiveSmallIntegerField(blank=True, help_text='0 (fast) to 9 (small), for WebP, AVIF and PNG. Empty: what has proved worth its time. AVIF from 4 on takes ten times as long: some 10 s at 2048 px.', null=True, validators=[django.core.validators.MaxValueValidator(9)]),
        ),
        migrations.AddField(
            model_name='rendition',
            name='enlarge',
            field=models.BooleanField(db_default=False, default=False, help_text='Make smaller pictures larger. Usually they keep their size.'),
        ),
        migrations.AddField(
            model_name='rendition',
            name='progressive',
            field=models.BooleanField(blank=True, choices=[(None, 'automatic'), (True, 'yes'), (False, 'no')], help_text='JPEG and PNG appear coarse first, then fine.', null=True),
        ),
        migrations.AlterField(
            model_name='original',
            name='format',
            field=models.CharField(help_text='By its first bytes; by all of them once it has been rendered.', max_length=16),
        ),
        migrations.AlterField(
            model_name='rendition',
            name='fit',
            field=models.CharField(choices=[('inside', 'inside'), ('width', 'width'), ('cover', 'cover')], default=media_jobs.pipeline.recipes.Fit['INSIDE'], help_text='inside: the longest side; width: the width; cover: a square, cropped.', max_length=16),
        ),
        migrations.AlterField(
            model_name='rendition',
            name='format',
            field=models.CharField(choices=[('jpeg', 'jpeg'), ('webp', 'webp'), ('avif', 'avif'), ('png', 'png'), ('source', 'source'), ('auto', 'auto')], default=media_jobs.pipeline.recipes.Format['JPEG'], help_text='source: the upload’s own where it is one of these, else jpeg; auto: jpeg, or webp if transparent.', max_length=16),
        ),
        migrations.AlterField(
            model_name='rendition',
            name='name',
            field=models.SlugField(help_text='Part of the public address.', max_length=32),
        ),
        migrations.AlterField(
            model_name='rendition',
            name='quality',
            field=models.PositiveSmallIntegerField(default=82, help_text='1 to 100; PNG has none.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)]),
        ),
        migrations.AlterField(
            model_name='rendition',
            name='side_px',
            field=models.PositiveIntegerField(help_text='Of the longest side, the width or the square, as fit says.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(16383)], verbose_name='side in px'),
        ),
        migrations.AddConstraint(
            model_name='original',
            constraint=models.CheckConstraint(condition=models.Q(('rotation__in', [0, 90, 180, 270])), name='original_rotation_known'),
        ),
        migrations.AddConstraint(
            model_name='original',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('focus_x', None), ('focus_y', None)), models.Q(('focus_x__gte', 0), ('focus_x__isnull', False), ('focus_x__lte', 1), ('focus_y__gte', 0), ('focus_y__isnull', False), ('focus_y__lte', 1)), _connector='OR'), name='original_focus_is_inside'),
        ),
        migrations.AddConstraint(
            model_name='original',
            constraint=models.CheckConstraint(condition=models.Q(('orientation', None), models.Q(('orientation__gte', 1), ('orientation__lte', 8)), _connector='OR'), name='original_orientation_known'),
        ),
        migrations.AddConstraint(
            model_name='rendition',
            constraint=models.CheckConstraint(condition=models.Q(('fit__in', ['inside', 'width', 'cover'])), name='rendition_fit_known'),
        ),
        migrations.AddConstraint(
            model_name='rendition',
            constraint=models.CheckConstraint(condition=models.Q(('format__in', ['jpeg', 'webp', 'avif', 'png', 'source', 'auto'])), name='rendition_format_known'),
        ),
        migrations.AddConstraint(
            model_name='rendition',
            constraint=models.CheckConstraint(condition=models.Q(('crop__in', ['centre', 'attention'])), name='rendition_crop_known'),
        ),
        migrations.AddConstraint(
            model_name='rendition',
            constraint=models.CheckConstraint(condition=models.Q(('chroma__in', ['auto', '4:2:0', '4:4:4'])), name='rendition_chroma_known'),
        ),
        migrations.AddConstraint(
            model_name='rendition',
            constraint=models.CheckConstraint(condition=models.Q(('effort', None), models.Q(('effort__gte', 0), ('effort__lte', 9)), _connector='OR'), name='rendition_effort_in_range'),
        ),
    ]
