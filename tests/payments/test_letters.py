"""The mails of money: who is told what, when the books say so and never before, and not a word that is not true."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from contralock.accounts.models import User
from notifications import compose
from notifications.models import Message
from payments import letters, operations, outcomes, services
from payments.facts import BankDispute, PaymentState, PayoutState, RefundState
from payments.models import Milestone
from payments.money import Money
from tests.payments.story import (
    NOW,
    Escrow,
    deposit_of,
    escrow,
    finish_refund,
    fresh,
    objection,
    payment,
    payout,
    refund_of,
    reversal_of,
    sent,
    transfer,
)

pytestmark = pytest.mark.django_db

EUR = {"language": "de", "time_zone": "Europe/Berlin"}


def known(story: Escrow, **german: Any) -> Escrow:
    """Give them names; with `german` fields for the freelancer."""
    for person, first, last, more in (
        (story.client, "Cleo", "Client", {}),
        (story.freelancer, "Fred", "Freelancer", german),
    ):
        person.first_name, person.last_name = first, last
        for field, value in more.items():
            setattr(person, field, value)
        person.save()
    return story


def to(person: Any, event: str = "") -> list[Message]:
    """What this person was written about this kind of event (`released`), oldest first."""
    return list(Message.objects.filter(recipient=person.email, key__startswith=event).order_by("created_at"))


def one(person: Any, event: str) -> compose.Rendered:
    """The one mail to this person about it, as it would go out now."""
    (message,) = to(person, f"{event}:")
    return compose.render(template=message.template, language=message.language, context=message.context)


def told(story: Escrow) -> list[str]:
    """`event role` of every letter so far."""
    roles = {str(story.client.pk): "client", str(story.freelancer.pk): "freelancer"}
    keys = [key.split(":") for key in Message.objects.order_by("created_at", "key").values_list("key", flat=True)]
    return sorted(f"{event} {roles[person]}" for event, _, person in keys)


# ------------------------------------------------------------------ when
def test_nobody_is_told_of_a_payment_before_it_is_confirmed() -> None:
    story = known(escrow())
    deposit = story.deposit()
    for state in (PaymentState.AWAITING, PaymentState.DECLINED, PaymentState.PROCESSING):
        outcomes.deposit_seen(deposit.pk, payment(deposit, state), livemode=False, now=NOW)
    assert told(story) == []
    outcomes.deposit_seen(deposit.pk, payment(deposit), livemode=False, now=NOW)
    assert told(story) == ["funded client", "funded freelancer"]


def test_a_payment_of_something_else_than_was_asked_for_is_confirmed_to_nobody() -> None:
    story = known(escrow())
    deposit = story.deposit()
    short = payment(deposit, received=Money(9_999, "usd"))
    assert outcomes.deposit_seen(deposit.pk, short, livemode=False, now=NOW)
    assert told(story) == []


def test_nobody_is_paid_in_words_while_a_release_is_asked_for_sent_in_doubt_or_refused() -> None:
    story = known(escrow().delivered())
    before = told(story)
    release = story.release()
    assert told(story) == before
    sent(release)
    assert told(story) == before
    operations.unknown(release, error="read timeout")
    assert told(story) == before
    outcomes.rejected(fresh(release), code="account_closed", error="It is closed.", now=NOW)
    assert told(story) == before


def test_what_stripe_says_ten_times_is_written_once() -> None:
    story = known(escrow().delivered())
    release = sent(story.release())
    for _ in range(10):
        outcomes.release_seen(release.pk, transfer(release), now=NOW)
    assert [len(to(person, "released")) for person in (story.client, story.freelancer)] == [1, 1]


def test_a_booking_that_is_rolled_back_has_told_nobody() -> None:
    story = known(escrow().delivered())
    release = sent(story.release())
    before = told(story)
    with transaction.atomic():
        assert outcomes.release_seen(release.pk, transfer(release), now=NOW)
        assert told(story) != before
        transaction.set_rollback(True)
    assert told(story) == before


def test_a_letter_says_what_was_true_whatever_changes_before_it_is_sent() -> None:
    story = known(escrow().released())
    before = one(story.freelancer, "released")
    Milestone.objects.filter(pk=story.milestone.pk).update(title="Another", amount=1)
    story.client.last_name, story.freelancer.email = "Changed", "new@example.com"
    story.client.save()
    address = Message.objects.get(key__startswith="released", key__endswith=f":{story.freelancer.pk}").recipient
    story.freelancer.save()
    message = Message.objects.get(recipient=address, key__startswith="released")
    assert compose.render(template=message.template, language="en", context=message.context) == before
    assert "Its plan" in before.text
    assert "$95.00" in before.text


# ------------------------------------------------------------------ what
def test_the_client_has_a_confirmation_and_the_freelancer_may_start() -> None:
    story = known(escrow()).funded()
    mine, theirs = one(story.client, "funded"), one(story.freelancer, "funded")
    assert mine.subject == "Payment of $100.00 for “Its plan” confirmed"
    for words in ("$100.00", "Its plan", "A bridge", "Fred Freelancer", str(deposit_of(story).stripe_id)):
        assert words in mine.text
        assert words in mine.html
    assert theirs.subject == "“Its plan” is funded: you can start"
    assert "Cleo Client" in theirs.text
    assert "pi_" not in theirs.text


def test_the_client_is_asked_to_approve_what_was_delivered_once() -> None:
    story = known(escrow()).delivered()
    services.deliver(story.milestone.pk, by=story.freelancer)
    assert one(story.client, "delivered").subject == "“Its plan” is delivered: please approve it"
    assert to(story.freelancer, "delivered") == []


def test_the_freelancer_reads_what_arrives_and_the_client_what_was_paid() -> None:
    story = known(escrow()).released()
    mine, theirs = one(story.client, "released"), one(story.freelancer, "released")
    assert mine.subject == "$100.00 released for “Its plan”"
    assert "fee" not in mine.text.lower(), "what the freelancer pays us is not the client's to know"
    assert theirs.subject == "You were paid $95.00 for “Its plan”"
    for words in ("$100.00", "$5.00", "$95.00"):
        assert words in theirs.text


def test_a_german_reads_german_and_the_other_reads_english() -> None:
    story = known(escrow(currency="eur", amount=125_000), **EUR)
    deposit = story.deposit()
    outcomes.deposit_seen(deposit.pk, payment(deposit), livemode=False, now=NOW)
    release = story.release()
    outcomes.release_seen(release.pk, transfer(release), now=NOW)
    assert one(story.freelancer, "released").subject == "Sie haben 1.187,50 € für „Its plan“ erhalten"
    assert "24. November 2026" in one(story.freelancer, "released").text
    assert one(story.client, "released").subject == "€1,250.00 released for “Its plan”"
    assert "November 24, 2026" in one(story.client, "released").text


@pytest.mark.parametrize(
    ("currency", "english", "german"),
    [("jpy", "¥125,000", "125.000\xa0¥"), ("eur", "€1,250.00", "1.250,00\xa0€"), ("usd", "$1,250.00", "1.250,00\xa0$")],
)
def test_amounts_have_the_decimals_of_their_currency(currency: str, english: str, german: str) -> None:
    story = known(escrow(125_000, currency=currency), **EUR).funded()
    assert english in one(story.client, "funded").subject
    assert german in one(story.freelancer, "funded").text


@pytest.mark.parametrize(
    ("zone", "day"),
    [("UTC", "November 24"), ("Pacific/Kiritimati", "November 25"), ("Pacific/Nowhere", "November 24")],
)
def test_a_day_is_the_readers_day(zone: str, day: str) -> None:
    story = escrow()
    story.client.time_zone = zone
    story.client.save()
    story.funded()
    assert day in one(story.client, "funded").text


def test_names_and_titles_cannot_turn_or_break_the_sentence_around_them() -> None:
    story = known(escrow(), first_name="נועה", last_name="כהן")
    Milestone.objects.filter(pk=story.milestone.pk).update(title="Plan\u202e\nAmount: $1")
    story.funded()
    assert "\u2068נועה כהן\u2069" in one(story.client, "funded").text
    assert "\u2068נועה\u2069," in one(story.freelancer, "funded").text
    assert one(story.freelancer, "funded").subject == "“Plan Amount: $1” is funded: you can start"
    assert "\u202e" not in one(story.client, "funded").html


def test_nobody_learns_the_others_address() -> None:
    story = escrow().released()  # they have no names, and an address stands in for a name elsewhere
    for reader, other in ((story.client, story.freelancer), (story.freelancer, story.client)):
        for message in to(reader):
            assert other.email not in str(message.context)


# ------------------------------------------------------------------ withdrawals
def withdrawing() -> tuple[Escrow, Any]:
    story = known(escrow()).released()
    return story, sent(story.withdraw(9_500))


def test_a_withdrawal_is_told_of_once_when_its_money_has_left_and_not_again_when_it_arrives() -> None:
    story, withdrawal = withdrawing()
    outcomes.withdrawal_seen(withdrawal.pk, payout(withdrawal, PayoutState.PENDING, moved=False), now=NOW)
    assert to(story.freelancer, "withdrawal") == []
    for state in (PayoutState.PENDING, PayoutState.IN_TRANSIT, PayoutState.PAID):
        outcomes.withdrawal_seen(withdrawal.pk, payout(withdrawal, state), now=NOW)
    assert [message.subject for message in to(story.freelancer, "withdrawal")] == ["$95.00 is on its way to your bank"]


def test_a_withdrawal_that_comes_back_says_so_and_why() -> None:
    story, withdrawal = withdrawing()
    outcomes.withdrawal_seen(withdrawal.pk, payout(withdrawal, PayoutState.PAID), now=NOW)
    failed = payout(withdrawal, PayoutState.FAILED, back="txn_back")
    for _ in range(2):
        outcomes.withdrawal_seen(withdrawal.pk, _because(failed, "The account is closed."), now=NOW)
    returned = one(story.freelancer, "withdrawal_returned")
    assert returned.subject == "Your withdrawal of $95.00 came back"
    assert "The account is closed." in returned.text


@pytest.mark.parametrize(
    ("language", "code", "said"),
    [
        ("en", "account_closed", "Reason given:   The bank account has been closed."),
        ("de", "account_closed", "Angegebener Grund:  Das Bankkonto wurde geschlossen."),
        ("en", "new_code", "Reason given:   Stripe's sentence."),
        ("de", "new_code", "Betrag:             95,00\xa0$\n\n"),
    ],
)
def test_the_reason_is_said_in_the_readers_language_or_not_at_all(language: str, code: str, said: str) -> None:
    story, withdrawal = withdrawing()
    User.objects.filter(pk=story.freelancer.pk).update(language=language)
    failed = payout(withdrawal, PayoutState.FAILED, back="txn_back")
    outcomes.withdrawal_seen(withdrawal.pk, _because(failed, "Stripe's sentence.", code), now=NOW)
    text = one(story.freelancer, "withdrawal_returned").text
    assert said in text
    assert language == "en" or "Stripe's" not in text


def test_a_withdrawal_whose_failure_is_the_first_we_hear_of_it_was_never_on_its_way() -> None:
    story, withdrawal = withdrawing()
    outcomes.withdrawal_seen(withdrawal.pk, payout(withdrawal, PayoutState.FAILED, back="txn_back"), now=NOW)
    assert [message.template for message in to(story.freelancer, "withdrawal")] == ["withdrawal_returned"]


def test_a_withdrawal_that_stripe_refuses_or_cancels_is_told_of_in_other_words() -> None:
    story, withdrawal = withdrawing()
    outcomes.rejected(fresh(withdrawal), code="x", error="No such bank: ba_1", now=NOW)
    refused = one(story.freelancer, "withdrawal_returned")
    assert refused.subject == "Your withdrawal of $95.00 could not be made"
    assert "ba_1" not in refused.text, "what Stripe tells the platform is not for its users"
    again = sent(story.withdraw(9_500))
    outcomes.withdrawal_seen(again.pk, payout(again, PayoutState.CANCELED, back="txn_back"), now=NOW)
    assert to(story.freelancer, "withdrawal_returned")[-1].subject == "Your withdrawal of $95.00 was cancelled"


def _because(found: Any, failure: str, code: str = "") -> Any:
    from dataclasses import replace

    return replace(found, failure=failure, failure_code=code)


# ------------------------------------------------------------------ refunds
def test_a_refund_is_told_of_when_it_succeeded_and_not_while_it_is_pending() -> None:
    story = known(escrow()).funded()
    refund = story.refund(4_000)
    outcomes.refund_seen(refund.pk, refund_of(refund, RefundState.PENDING), now=NOW)
    assert to(story.client, "refunded") == []
    for _ in range(2):
        outcomes.refund_seen(refund.pk, refund_of(refund, RefundState.SUCCEEDED), now=NOW)
    mine, theirs = one(story.client, "refunded"), one(story.freelancer, "refunded")
    assert mine.subject == "$40.00 for “Its plan” is refunded to you"
    assert "$60.00 of this milestone stays held." in mine.text
    assert theirs.subject == "$40.00 for “Its plan” was refunded to the client"


def test_after_a_release_the_freelancer_reads_what_was_taken_back() -> None:
    story = known(escrow()).released()
    finish_refund(story.refund(4_000))
    theirs = one(story.freelancer, "refunded")
    assert "$38.00 of it had been released to you" in theirs.text
    assert "stays held" not in theirs.text
    assert "$38.00" not in one(story.client, "refunded").text


def test_a_refund_that_fails_after_all_is_told_to_both_and_one_that_never_succeeded_to_the_client() -> None:
    story = known(escrow()).funded()
    for succeeded, readers in ((True, 2), (False, 1)):
        refund = story.refund(4_000)
        state = RefundState.SUCCEEDED if succeeded else RefundState.PENDING
        outcomes.refund_seen(refund.pk, refund_of(refund, state), now=NOW)
        for _ in range(2):
            outcomes.refund_seen(refund.pk, refund_of(refund, RefundState.FAILED, back="txn_back"), now=NOW)
        assert Message.objects.filter(key__startswith=f"refund_failed:{refund.pk}:").count() == readers
    assert to(story.client, "refund_failed")[0].subject == "Your refund of $40.00 did not arrive"


def test_a_refund_that_waits_for_the_freelancers_part_tells_nobody() -> None:
    story = known(escrow()).released()
    refund = story.refund(4_000)
    reversal = refund.children.get()
    outcomes.reversal_seen(reversal.pk, reversal_of(reversal), now=NOW)
    assert to(story.client, "refund") == []


# ------------------------------------------------------------------ disputes
@pytest.mark.parametrize(
    ("who", "to_client", "to_freelancer"),
    [
        ("client", "You opened a dispute", "Cleo Client\nopened a dispute"),
        ("freelancer", "Fred Freelancer\nopened a dispute", "You opened a dispute"),
        ("staff", "Our staff opened a dispute", "Our staff opened a dispute"),
    ],
)
def test_both_hear_who_opened_a_dispute_and_why(who: str, to_client: str, to_freelancer: str) -> None:
    story = known(escrow()).delivered()
    for _ in range(2):
        services.open_dispute(story.milestone.pk, by=getattr(story, who), reason="It is\nlate.")
    mine, theirs = one(story.client, "dispute_opened"), one(story.freelancer, "dispute_opened")
    assert to_client in mine.text
    assert to_freelancer in theirs.text
    for letter in (mine, theirs):
        assert "It is late." in letter.text
        assert "stays held" in letter.text


def test_of_a_long_reason_the_beginning_is_quoted() -> None:
    story = known(escrow()).delivered()
    services.open_dispute(story.milestone.pk, by=story.client, reason="x" * 5_000)
    assert f"{'x' * 300}…\n" in one(story.client, "dispute_opened").text


@pytest.mark.parametrize(
    ("resolution", "to_client", "to_freelancer"),
    [
        ("release", "decided for the freelancer", "decided for you"),
        ("refund", "decided for you", "decided for the client"),
        ("dismiss", "without a decision", "without a decision"),
    ],
)
def test_both_hear_what_was_decided_and_nothing_is_said_to_be_done_yet(
    resolution: str, to_client: str, to_freelancer: str
) -> None:
    story = known(escrow()).delivered()
    dispute, _ = services.open_dispute(story.milestone.pk, by=story.client, reason="It is late.")
    services.resolve_dispute(dispute.pk, by=story.staff, resolution=resolution, reason="We looked.")
    mine, theirs = one(story.client, "dispute_closed"), one(story.freelancer, "dispute_closed")
    assert to_client in mine.text
    assert to_freelancer in theirs.text
    assert "We looked." in theirs.text
    assert {letter.split()[0] for letter in told(story)} == {"funded", "delivered", "dispute_opened", "dispute_closed"}


@pytest.mark.parametrize(
    ("state", "told_client", "told_freelancer"),
    [
        (BankDispute.WON, "Your bank decided that the payment stands", "The bank decided that the payment stands"),
        (BankDispute.LOST, "Your bank decided for you", "The bank decided for the client"),
    ],
)
def test_a_banks_dispute_is_told_of_in_words_of_its_own(
    state: BankDispute, told_client: str, told_freelancer: str
) -> None:
    story = known(escrow()).funded()
    deposit = deposit_of(story)
    for _ in range(2):
        outcomes.dispute_seen(objection(deposit), now=NOW)
    assert "Your bank objects" in one(story.client, "dispute_opened").text
    assert "bank of the client objects" in one(story.freelancer, "dispute_opened").text
    assert "fraudulent" not in one(story.client, "dispute_opened").text, "a bank's code says nothing to people"
    for _ in range(2):
        outcomes.dispute_seen(objection(deposit, state, reinstated=state == BankDispute.WON), now=NOW)
    assert told_client in one(story.client, "dispute_closed").text
    assert told_freelancer in one(story.freelancer, "dispute_closed").text


def test_about_money_that_was_released_nobody_says_that_it_stays_held() -> None:
    story = known(escrow()).released()
    services.open_dispute(story.milestone.pk, by=story.client, reason="It broke.")
    assert "stays held" not in one(story.client, "dispute_opened").text


# ------------------------------------------------------------------ what the books do not depend on
@pytest.mark.parametrize("wrong", [{"is_active": False}, {"email": "zoë@example.com"}, {"email": "nobody"}])
def test_a_reader_who_cannot_be_written_to_stops_no_booking_and_is_in_the_log(
    wrong: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    story = known(escrow(), **wrong)
    story.released()
    assert story.payable() == 9_500
    assert to(story.freelancer) == []
    assert len(to(story.client)) == 3
    lines = [record.getMessage() for record in caplog.records if record.name == "payments.letters"]
    assert len(lines) == 2
    assert all(line.startswith("letter skipped key=") and f":{story.freelancer.pk} reason=" in line for line in lines)
    assert story.freelancer.email not in "".join(lines)


def test_a_template_that_is_broken_loses_its_letters_with_an_error_in_the_log_and_the_booking_stands(
    tmp_path: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    story = known(escrow()).delivered()
    release = sent(story.release())
    broken = tmp_path / "notifications" / "en"
    broken.mkdir(parents=True)
    for part in compose.PARTS:
        (broken / f"payment_released.{part}").write_text("{{ no_such_thing }}")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]
    assert outcomes.release_seen(release.pk, transfer(release), now=NOW)
    assert story.payable() == 9_500
    assert to(story.freelancer, "released") == to(story.client, "released") == []
    assert f"letter lost event=released about={release.pk}" in caplog.text
    assert "no_such_thing" in caplog.text


def test_an_outbox_that_refuses_a_row_stops_no_booking(caplog: pytest.LogCaptureFixture) -> None:
    story = known(escrow()).delivered()
    release = sent(story.release())
    _outbox_raises("23514")
    assert outcomes.release_seen(release.pk, transfer(release), now=NOW)
    assert story.payable() == 9_500
    assert "letter lost event=released" in caplog.text
    assert to(story.client, "released") == []


def test_a_deadlock_in_the_outbox_gives_everything_up_so_that_it_is_done_again_together() -> None:
    story = known(escrow()).delivered()
    release = sent(story.release())
    _outbox_raises("40P01")
    with pytest.raises(Exception, match="outbox"), transaction.atomic():
        outcomes.release_seen(release.pk, transfer(release), now=NOW)
    assert story.payable() == 0
    _outbox_works()
    assert outcomes.release_seen(release.pk, transfer(release), now=NOW)
    assert len(to(story.freelancer, "released")) == 1


def _outbox_raises(sqlstate: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'outbox' USING ERRCODE = '{sqlstate}'; END $$"
        )
        cursor.execute("CREATE TRIGGER refuse BEFORE INSERT ON notifications_message EXECUTE FUNCTION pg_temp.refuse()")


def _outbox_works() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER refuse ON notifications_message")


def test_two_letters_cost_a_booking_eight_statements() -> None:
    story = known(escrow()).released()
    release = fresh(story.milestone.operations.get(kind="release"))
    release.milestone = Milestone.objects.select_related("project").get(pk=story.milestone.pk)
    Message.objects.all().delete()
    with CaptureQueriesContext(connection) as statements:
        letters.released(release)
    assert Message.objects.count() == 2
    # A savepoint and its end, the two readers, both mails, what of them is new, a job for each, and their numbers.
    assert len(statements) == 8, [query["sql"] for query in statements]


def test_nothing_is_said_of_money_that_was_not_booked(caplog: pytest.LogCaptureFixture) -> None:
    story = known(escrow()).delivered()
    letters.released(fresh(story.release()))
    assert to(story.freelancer, "released") == []
    assert "has moved no money yet" in caplog.text
