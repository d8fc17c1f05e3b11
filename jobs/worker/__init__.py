"""What runs inside a Celery worker around the jobs."""
