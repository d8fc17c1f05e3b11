"""The pages that the links in mails lead to, for a browser without JavaScript.

A link is opened by programs too (scanners, previews): opening it only shows a button, pressing the button uses it.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from rest_framework.throttling import ScopedRateThrottle

from contralock.accounts import addresses, links, passwords, standalone
from contralock.accounts.choices import Language
from contralock.accounts.links import LinkRefused
from contralock.accounts.models import User


@method_decorator(never_cache, name="dispatch")
class Page(View):
    """A page in the language of the account, else of the browser. It loads nothing from anywhere."""

    name = ""
    throttle_scope = "link"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Uses are counted together with those of the API."""
        throttle = ScopedRateThrottle()
        if request.method == "POST" and not throttle.allow_request(request, self):  # type: ignore[arg-type]
            answer = self.show("wait", status=429)
            answer["Retry-After"] = str(int(throttle.wait() or 60))
            return answer
        return super().dispatch(request, *args, **kwargs)

    def given(self, name: str) -> str:
        """What the link carries, or the form that it led to."""
        return (self.request.POST if self.request.method == "POST" else self.request.GET).get(name, "")[:500]

    def show(self, state: str, *, owner: User | None = None, status: int = 200, **more: Any) -> HttpResponse:
        """The page in one of its states."""
        language = owner.language if owner is not None else _language(self.request)
        context = {"state": state, "language": language, "owner": owner} | more
        with translation.override(language):
            return standalone.page(self.request, f"accounts/{language}/{self.name}.html", context, status=status)


def _language(request: HttpRequest) -> str:
    """English, unless the browser would rather have German."""
    wanted = translation.get_language_from_request(request).partition("-")[0]
    return wanted if wanted in Language.values else Language.ENGLISH.value


class _TokenPage(Page):
    """A page whose button uses up a token of contralock/accounts/links.py."""

    purpose = ""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The button, if it would do something."""
        token = self.given("token")
        owner = links.owner(purpose=self.purpose, token=token)
        try:
            links.check(purpose=self.purpose, token=token, now=timezone.now())
        except LinkRefused:
            return self.show("refused", owner=owner, status=400)
        return self.show("ask", owner=owner, token=token)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Use the token."""
        token = self.given("token")
        owner = links.owner(purpose=self.purpose, token=token)
        try:
            return self.show("done", owner=self.use(token))
        except LinkRefused:
            return self.show("refused", owner=owner, status=400)

    def use(self, token: str) -> User:
        """What the button does. Raises LinkRefused."""
        raise NotImplementedError


class VerifyPage(_TokenPage):
    """Confirms an address."""

    name, purpose = "verify", links.VERIFY

    def use(self, token: str) -> User:
        """Raises LinkRefused."""
        return addresses.verify(token=token, now=timezone.now())


class ChangePage(_TokenPage):
    """Confirms a new address."""

    name, purpose = "email", links.CHANGE

    def use(self, token: str) -> User:
        """Raises LinkRefused."""
        return addresses.confirm_change(token=token, now=timezone.now())


class ForgotForm(forms.Form):
    """Whose password was forgotten."""

    email = forms.EmailField(max_length=254)


class ForgotPage(Page):
    """Asks for a link that sets a new password."""

    name, throttle_scope = "forgot", "reset"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The form."""
        return self.show("ask", form=ForgotForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """The same page, whether the address has an account or not."""
        form = ForgotForm(request.POST)
        if not form.is_valid():
            return self.show("ask", form=form, status=400)
        passwords.ask_reset(email=form.cleaned_data["email"], now=timezone.now())
        return self.show("done")


class NewPasswordForm(forms.Form):
    """The new password, twice: nobody sees what is typed."""

    password = forms.CharField(max_length=128, strip=False)
    again = forms.CharField(max_length=128, strip=False)


class ResetPage(Page):
    """Sets a new password."""

    name = "reset"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The form, if the link is good."""
        owner = passwords.owner_of_reset(uid=self.given("uid"), token=self.given("token"))
        return self._form(owner) if owner is not None else self.show("refused", status=400)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Set the password, or say what is wrong with it."""
        owner = passwords.owner_of_reset(uid=self.given("uid"), token=self.given("token"))
        form = NewPasswordForm(request.POST)
        if owner is None:
            return self.show("refused", status=400)
        if not form.is_valid() or form.cleaned_data["password"] != form.cleaned_data["again"]:
            return self._form(owner, mismatch=True)
        try:
            with translation.override(owner.language):
                self._set(form.cleaned_data["password"])
        except LinkRefused:
            return self.show("refused", status=400)
        except ValidationError as error:
            return self._form(owner, problems=error.messages)
        return self.show("done", owner=owner)

    def _set(self, password: str) -> None:
        passwords.reset(uid=self.given("uid"), token=self.given("token"), password=password, now=timezone.now())

    def _form(self, owner: User, *, mismatch: bool = False, problems: list[str] | None = None) -> HttpResponse:
        fields = {"uid": self.given("uid"), "token": self.given("token"), "mismatch": mismatch, "problems": problems}
        return self.show("ask", owner=owner, status=400 if mismatch or problems else 200, **fields)
