"""The profile."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from contralock.accounts import answers, profiles
from contralock.accounts.serializers import ProfileForm
from contralock.accounts.views.base import AccountView, read, user_of


class ProfileView(AccountView):
    """Who somebody is, by their own account."""

    @extend_schema(tags=["account"], summary="Read the profile", responses={200: answers.Profile})
    def get(self, request: Request) -> Response:
        """The whole profile."""
        return Response(answers.Profile(user_of(request)).data)

    @extend_schema(
        tags=["account"], summary="Change the profile", request=ProfileForm, responses={200: answers.Profile}
    )
    def patch(self, request: Request) -> Response:
        """The whole profile after the change. What is left out stays; an empty text empties a field."""
        try:
            user = profiles.update(user=user_of(request), changes=read(ProfileForm, request))
        except ValidationError as error:
            raise serializers.ValidationError({"vatId": error.messages}) from None
        return Response(answers.Profile(user).data)
