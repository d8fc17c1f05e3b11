"""Paths under /api/auth/, and the pages under /account/ that mails lead to."""

from django.urls import path

from contralock.accounts.views import addresses, passwords, profiles, registration, sessions, tokens
from contralock.accounts.views import pages as page

urlpatterns = [
    path("register", registration.RegisterView.as_view(), name="register"),
    path("login", sessions.LoginView.as_view(), name="login"),
    path("logout", sessions.LogoutView.as_view(), name="logout"),
    path("session", sessions.SessionView.as_view(), name="session"),
    path("tokens", tokens.TokensView.as_view(), name="tokens"),
    path("tokens/<uuid:token_id>", tokens.TokenView.as_view(), name="token"),
    path("password/reset", passwords.ResetView.as_view(), name="password-reset"),
    path("password/reset/confirm", passwords.ResetConfirmView.as_view(), name="password-reset-confirm"),
    path("password/change", passwords.ChangeView.as_view(), name="password-change"),
    path("email/verify", addresses.VerifyView.as_view(), name="email-verify"),
    path("email/verify/resend", addresses.ResendView.as_view(), name="email-verify-resend"),
    path("email/change", addresses.ChangeView.as_view(), name="email-change"),
    path("email/change/confirm", addresses.ChangeConfirmView.as_view(), name="email-change-confirm"),
    path("profile", profiles.ProfileView.as_view(), name="profile"),
]

pages = [
    path("verify", page.VerifyPage.as_view(), name="account-verify"),
    path("email", page.ChangePage.as_view(), name="account-email"),
    path("forgot", page.ForgotPage.as_view(), name="account-forgot"),
    path("reset", page.ResetPage.as_view(), name="account-reset"),
]
