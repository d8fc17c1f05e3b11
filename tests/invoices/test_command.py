"""`manage.py invoice`, the checks of the settings, and the doctor."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from invoices import checks, document, health
from jobs.models import Job
from tests.invoices.people import issue
from tests.invoices.test_api import drawn

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    """What it prints."""
    out = io.StringIO()
    call_command("invoice", *arguments, stdout=out)
    return out.getvalue()


def test_show_says_what_is_on_an_invoice_and_where_its_file_is(media: Path) -> None:
    invoice = issue()
    said = run("show", invoice.number)
    assert "from:       Ada Lovelace (user-" in said
    assert "€1,250.00" in said
    assert "state:      Issued" in said
    drawn(invoice)
    assert f"{invoice.file} (whole)" in run("show", str(invoice.pk))
    (media / invoice.file).unlink()
    assert "(MISSING)" in run("show", invoice.number)
    assert json.loads(run("show", invoice.number, "--json"))["total"] == 125_000


def test_render_writes_a_file_here_or_asks_a_worker(tmp_path: Path) -> None:
    invoice = issue()
    target = tmp_path / "x.pdf"
    assert "not stored yet" in run("render", invoice.number, "--to", str(target))
    assert target.read_bytes() == document.draw(invoice).pdf
    drawn(invoice)
    assert "the same as the stored one" in run("render", invoice.number, "--to", str(target))
    Job.objects.all().delete()
    said = run("render", invoice.number)
    assert str(Job.objects.get().pk) in said


@pytest.mark.parametrize("name", ["CL-2026-00009", "not an id but as long as one would be"])
def test_an_unknown_invoice_is_said_to_be_unknown(name: str) -> None:
    with pytest.raises(CommandError) as refused:
        run("show", name)
    assert refused.value.returncode == 2


def test_a_number_that_two_issuers_have_is_ambiguous() -> None:
    issue()
    issue()
    with pytest.raises(CommandError, match="Several invoices have"):
        run("show", "CL-2026-00001")


def test_a_platform_without_address_and_a_rate_of_nowhere_are_noticed(settings: Any) -> None:
    assert checks.settings_fit() == []
    settings.INVOICE_PLATFORM = {"name": "ContraLock", "city": "Berlin"}
    settings.INVOICE_VAT_RATES = {"US": "7"}
    assert [found.id for found in checks.settings_fit()] == ["invoices.W001", "invoices.E001"]


def test_the_doctor_draws_a_conclusion(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    assert [str(found.level) for found in health.paper()] == ["ok"]
    monkeypatch.setattr(health, "find_library", lambda name: None if name == "pango-1.0" else name)
    assert "pango-1.0 missing" in next(iter(health.paper())).what
    blocked = tmp_path / "file"
    blocked.write_text("")
    settings.MEDIA_ROOT = str(blocked)
    assert "cannot be stored" in [found.what for found in health.paper()][-1]
