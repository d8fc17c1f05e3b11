"""POST /api/auth/register."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from contralock.accounts import answers, services
from contralock.accounts.serializers import RegistrationSerializer
from contralock.accounts.views.base import OpenView, read


class RegisterView(OpenView):
    """Create an account; the welcome mail follows by way of the queue."""

    throttle_scope = "register"

    @extend_schema(
        tags=["account"], summary="Register", request=RegistrationSerializer, responses={201: answers.Registered}
    )
    def post(self, request: Request) -> Response:
        """201 with the new user; 400 names the fields that are wrong; 429 after too many from one address."""
        try:
            user = services.register(**read(RegistrationSerializer, request))
        except services.EmailTaken:
            raise serializers.ValidationError({"email": ["This email address is taken."]}) from None
        created = {"message": "User created successfully", "user": user}
        return Response(answers.Registered(created).data, status=201)
