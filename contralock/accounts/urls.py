"""Paths under /api/auth/."""

from django.urls import path

from contralock.accounts.views import RegisterView

urlpatterns = [path("register", RegisterView.as_view(), name="register")]
