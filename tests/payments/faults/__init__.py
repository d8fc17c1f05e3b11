"""The fault cases of money, and the tests that show each (file::test, below tests/payments).

Those of this folder kill real workers, servers and connections at a point where they really are. The oracle is the
same everywhere: the local Stripe counts one effect for each operation, or none where none may be; the invariants of
the books hold; and the ledger says what Stripe's balances say.

 1  kill -9 after the operation's commit, before sending
        faults/test_killed.py::test_killed_before_the_request_is_committed_as_sent
        faults/test_killed.py::test_killed_after_that_and_before_the_request_is_out
 2  kill -9 after sending, before the answer
        faults/test_killed.py::test_killed_while_stripe_is_silent
        faults/test_killed.py::test_killed_while_a_payment_intent_is_made
        faults/test_killed.py::test_killed_as_often_as_the_engine_allows_it_is_found_by_looking
 3  kill -9 after the answer, before the commit
        faults/test_killed.py::test_killed_when_the_answer_is_there_and_before_anything_is_booked
 4  kill -9 inside the transaction that books
        faults/test_killed.py::test_killed_inside_the_transaction_that_books
 5  kill -9 in the middle of the request's body
        faults/test_killed.py::test_killed_in_the_middle_of_the_requests_body
        sandbox/test_idempotency.py::test_a_request_cut_short_by_a_dead_client_leaves_no_trace
 6  read time-out, the effect happened
        faults/test_answers.py::test_what_was_not_answered_is_a_doubt_and_then_done_once
 7  time-out, no effect
        faults/test_answers.py::test_what_was_not_answered_is_a_doubt_and_then_done_once
 8  connection refused, then up
        faults/test_answers.py::test_refused_connections_are_a_doubt_until_somebody_listens_again
        test_dispatch.py::test_when_stripe_is_down_the_queue_is_paused_by_the_breaker_and_looked_at_again
 9  half an answer, or 200 with a page
        faults/test_answers.py::test_what_was_not_answered_is_a_doubt_and_then_done_once
10  saved 500 with effect, its webhook hours later
        faults/test_answers.py::test_an_object_that_no_answer_and_no_list_shows_is_booked_by_its_late_event
        test_dispatch.py::test_a_saved_500_with_effect_is_found_by_looking
11  saved 500 without effect
        test_dispatch.py::test_a_saved_500_without_effect_stays_a_doubt_and_keeps_the_hold
        test_doubts.py::test_what_is_not_there_when_its_key_is_forgotten_is_left_to_a_person
12  a storm of 429: no loss, the rate falls
        faults/test_answers.py::test_in_a_storm_of_429_one_call_finds_out_and_the_others_wait
        faults/test_answers.py::test_the_longer_stripe_refuses_the_more_rarely_it_is_asked
13  409 from a zombie: two workers, one operation
        faults/test_two_at_once.py::test_a_zombie_with_a_request_under_way_and_its_successor_make_one_transfer
        faults/test_two_at_once.py::test_three_jobs_that_drive_one_operation_at_once_make_one_transfer
14  the broker delivers a message five times at once
        faults/test_two_at_once.py::test_one_message_delivered_five_times_at_once_is_one_run
15  the broker loses a message
        faults/test_lost.py::test_what_a_killed_broker_had_in_its_queues_is_done
16  a key older than a day is not sent; it is looked for, or left to a person
        test_dispatch.py::test_a_key_that_is_too_old_is_never_sent_again
        test_dispatch.py::test_a_key_that_is_too_old_is_looked_for
        test_doubts.py::test_what_is_not_there_when_its_key_is_forgotten_is_left_to_a_person
        sandbox/test_idempotency.py::test_a_key_is_forgotten_after_24_hours_and_then_the_resend_is_a_new_transfer
17  metadata, settings or code change between two tries: the same bytes
        faults/test_answers.py::test_whatever_changes_between_two_tries_the_same_bytes_are_sent
        test_operations.py::test_what_it_asks_for_is_frozen_by_the_database
18  balance_insufficient, funds come, done once under a new key
        test_dispatch.py::test_too_small_a_balance_is_tried_again_under_a_new_key
19  the same webhook ten times at once
        faults/test_events.py::test_a_payment_that_is_told_ten_times_at_once_is_held_once
        test_concurrency.py::test_one_transfer_told_by_eight_at_once_is_booked_once
20  two Event objects for one fact
        test_webhooks.py::test_two_events_for_one_fact_and_every_order_of_them_book_once
21  webhook before the API's answer
        faults/test_two_at_once.py::test_an_event_that_overtakes_the_answer_books_and_the_answer_is_no_news
        test_webhooks.py::test_an_event_that_overtakes_the_answer_confirms_and_the_answer_is_then_no_news
22  payout.failed before payout.paid; paid, and failed a day later
        faults/test_events.py::test_a_payout_whose_failure_is_heard_of_before_its_success_has_come_back
        test_webhooks.py::test_a_payout_that_fails_a_day_after_it_was_paid_comes_back
        test_outcomes.py::test_in_whatever_order_payout_events_are_read_a_failed_one_gives_the_money_back
23  refund.failed after it succeeded
        test_webhooks.py::test_a_refund_that_fails_after_it_succeeded_is_held_again
24  a lost webhook: found by asking and among the events
        test_dispatch.py::test_a_deposit_waits_until_the_client_has_paid_and_is_held_then
        test_reconcile.py::test_what_a_lost_webhook_would_have_told_is_found_and_booked
        test_reconcile.py::test_a_lost_event_is_fetched_and_understood
25  bad signature, old or future time, rolled secret, the other endpoint's secret, the other mode's event
        test_webhooks.py::test_what_is_not_signed_by_stripe_and_now_is_refused
        gateway/test_signatures.py::test_while_a_secret_is_rolled_both_are_good
        gateway/test_signatures.py::test_neither_the_past_nor_the_future_is_believed
        faults/test_events.py::test_an_event_of_the_other_mode_is_stored_and_believed_by_nobody
26  a deposit's amount, currency or metadata differs; the PaymentIntent of another milestone
        test_dispatch.py::test_a_payment_of_another_amount_is_set_aside_for_a_person
        test_outcomes.py::test_money_that_is_not_what_was_asked_for_waits_in_suspense_for_a_person
        test_outcomes.py::test_a_payment_intent_of_another_milestone_moves_nothing
27  a milestone is approved twice
        test_concurrency.py::test_approving_eight_times_at_once_is_one_release
        test_services.py::test_approving_twice_gives_one_release_also_when_it_is_done
        api/test_idempotency_key.py::test_of_two_clicks_at_once_without_a_key_one_makes_the_operation
28  release and refund of one milestone race
        test_concurrency.py::test_of_a_release_and_a_refund_of_one_milestone_one_wins
29  partial refunds that sum up to more than the charge
        test_services.py::test_partial_refunds_never_sum_up_to_more_than_was_paid
        test_concurrency.py::test_of_eight_partial_refunds_of_a_third_none_is_too_much
30  refund after release, the reversal fails: no refund
        faults/test_refusals.py::test_while_the_payees_balance_does_not_cover_the_reversal_nothing_is_refunded
        test_dispatch.py::test_where_the_freelancers_part_cannot_come_back_nothing_is_refunded
31  a dispute opens while a release is unknown
        faults/test_refusals.py::test_a_release_that_is_unknown_when_a_dispute_opens_stands_still_until_its_end
        faults/test_refusals.py::test_staff_cannot_refund_what_may_have_been_released
        test_outcomes.py::test_a_release_that_is_unknown_when_a_dispute_opens_may_still_turn_out_done
32  the payee's account was disconnected, or its bank is wrong
        faults/test_refusals.py::test_a_release_that_the_payees_side_refuses_is_rejected_and_its_hold_given_back
        faults/test_refusals.py::test_a_withdrawal_that_the_payees_side_refuses_is_rejected_and_its_money_is_payable_again
33  JPY, KWD, ISK, UGX, a HUF payout; floats, bools, Decimals, negative and huge amounts
        test_money.py::test_exponents_are_stripes
        test_money.py::test_what_is_no_whole_number_of_minor_units_is_refused_in_a_sentence
        test_money.py::test_an_amount_that_the_currency_cannot_express_is_refused
        test_dispatch.py::test_currencies_without_cents_go_through
        test_services.py::test_a_payout_that_no_bank_takes_is_refused
        api/test_bad_input.py::test_what_is_no_amount_is_refused_wherever_one_is_asked_for
34  PostgreSQL restarts, or gives a transaction up, between sending and booking
        faults/test_lost.py::test_postgres_restarts_while_the_answers_are_on_their_way
        faults/test_lost.py::test_what_postgres_gives_up_three_times_costs_no_attempt
35  a process forks after its first call: no shared socket
        faults/test_fork.py::test_after_a_fork_parent_and_child_have_a_connection_each
36  a deploy with a wrong API key: everything parks, nothing fails
        faults/test_refusals.py::test_with_a_wrong_key_operations_of_every_kind_are_parked_and_nothing_fails
        test_dispatch.py::test_with_a_wrong_key_everything_is_parked_and_nothing_fails
37  reconciliation finds a transfer made by hand
        test_reconcile.py::test_a_transfer_made_by_hand_is_found_shown_and_set_aside
38  at random, for minutes (make soak): all faults, and processes killed all the time
        ../chaos/test_money.py::test_after_the_storm_every_operation_had_exactly_one_effect
"""
