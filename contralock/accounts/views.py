"""POST /api/auth/register."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from contralock.accounts import services
from contralock.accounts.serializers import RegistrationSerializer
from contralock.parsers import StrictJSONParser


class RegisterView(APIView):
    """Create an account; the welcome mail follows by way of the queue."""

    authentication_classes = ()  # whoever registers is nobody yet, so there is no session for CSRF to protect
    permission_classes = (AllowAny,)
    parser_classes = (StrictJSONParser,)
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "register"

    def post(self, request: Request) -> Response:
        """201 with the new user; 400 names the fields that are wrong; 429 after too many from one address."""
        form = RegistrationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            user = services.register(**form.validated_data)
        except services.EmailTaken:
            raise serializers.ValidationError({"email": ["This email address is taken."]}) from None
        return Response(
            {
                "message": "User created successfully",
                "user": {
                    "id": user.pk,
                    "email": user.email,
                    "firstName": user.first_name,
                    "lastName": user.last_name,
                },
            },
            status=201,
        )
