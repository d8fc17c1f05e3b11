from django.db import migrations


def create(apps, schema_editor):
    """Made once; from then on it is the operators' to edit."""
    every = apps.get_model("django_celery_beat", "IntervalSchedule").objects.get_or_create(every=10, period="minutes")[0]
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="Remove finished jobs past their keeping",
        defaults={"task": "jobs.retention", "interval": every, "enabled": True},
    )


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0002_hot_table"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
