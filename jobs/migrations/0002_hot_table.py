from django.db import migrations

CASCADE = """
DO $$
DECLARE c record;
BEGIN
    FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint
        WHERE contype = 'f' AND confrelid = 'jobs_job'::regclass
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname);
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I FOREIGN KEY (job_id) REFERENCES jobs_job (id) ON DELETE CASCADE',
            c.t, c.conname);
    END LOOP;
END $$
"""


class Migration(migrations.Migration):
    """What Django's models cannot say: cascades in the database, and room for a table that is updated all the time."""

    dependencies = [("jobs", "0001_initial")]

    operations = [
        # Attempts and log lines leave with their job without being loaded.
        migrations.RunSQL(CASCADE, migrations.RunSQL.noop),
        # Each job is updated two or three times: leave room in its page, and clean up early and often.
        migrations.RunSQL(
            "ALTER TABLE jobs_job SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, "
            "autovacuum_vacuum_threshold = 500, autovacuum_analyze_scale_factor = 0.05)",
            "ALTER TABLE jobs_job RESET (fillfactor, autovacuum_vacuum_scale_factor, "
            "autovacuum_vacuum_threshold, autovacuum_analyze_scale_factor)",
        ),
    ]
