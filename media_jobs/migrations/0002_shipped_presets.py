"""Ships the presets `gallformers` and `ingest`, version 1."""

from django.db import migrations

# Written out, because a migration must not change when the code's recipes do.
SHIPPED = {
    "gallformers": [
        ("full", 2048, "inside", "jpeg", 82),
        ("medium", 1024, "inside", "jpeg", 82),
        ("small", 512, "inside", "jpeg", 82),
        ("thumb", 200, "cover", "jpeg", 82),
    ],
    "ingest": [
        ("thumbnail", 300, "inside", "webp", 85),
        ("thumbnail-legacy", 300, "inside", "jpeg", 85),
        ("web", 1920, "inside", "webp", 90),
        ("web-legacy", 1920, "inside", "jpeg", 90),
    ],
}


def ship(apps, schema_editor):
    Preset = apps.get_model("media_jobs", "Preset")
    Rendition = apps.get_model("media_jobs", "Rendition")
    for name, renditions in SHIPPED.items():
        preset = Preset.objects.create(name=name, version=1, current=True)
        Rendition.objects.bulk_create(
            Rendition(preset=preset, name=r, side_px=side, fit=fit, format=fmt, quality=quality)
            for r, side, fit, fmt, quality in renditions
        )


class Migration(migrations.Migration):
    dependencies = [("media_jobs", "0001_initial")]
    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
