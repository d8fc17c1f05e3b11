"""Our name on Django's admin."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin import apps
from django.http import HttpRequest


class AdminSite(admin.AdminSite):
    site_header = settings.SITE_NAME
    site_title = settings.SITE_NAME
    index_title = "Operations"
    site_url = None  # "/" leads here

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Every page says which environment it acts on."""
        return {**super().each_context(request), "environment": settings.ENVIRONMENT}


class AdminConfig(apps.AdminConfig):
    default_site = "contralock.site.AdminSite"
