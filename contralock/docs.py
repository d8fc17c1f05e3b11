"""The address of the OpenAPI description (contralock/schema.py says what is in it)."""

from __future__ import annotations

from drf_spectacular.views import SpectacularAPIView
from rest_framework.throttling import ScopedRateThrottle


class SchemaView(SpectacularAPIView):
    """GET /api/schema. Limited, because making the description takes a third of a second of CPU."""

    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "schema"
