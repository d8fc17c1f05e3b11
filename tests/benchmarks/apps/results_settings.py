"""The smallest Django project that keeps Celery's results in its database."""

import os

import environ

SECRET_KEY = "only-for-the-bench"
INSTALLED_APPS = ["django_celery_results"]
DATABASES = {"default": environ.Env().db("DATABASE_URL")}
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = os.environ["REDIS_URL"]
