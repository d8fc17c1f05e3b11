"""The invariants as SQL: each statement returns (where, what) of every breach, and nothing when all is well."""

from __future__ import annotations

TITLES = {
    1: "debits equal credits in every currency",
    2: "kept balances equal their rows",
    3: "no account is below its floor",
    4: "a hold is resolved at most once, by what fits it",
    5: "of a milestone no more is released, refunded and held than was paid",
    6: "every operation has the rows that its state says",
    7: "one object at Stripe belongs to one operation",
    8: "the book of the platform equals Stripe's balance",
}

# Both sides of every move, with what it did to the account there.
_ENTRIES = """
WITH open_hold AS (
    SELECT t.id FROM ledger_transfer t
    WHERE t.phase = 'pending' AND NOT EXISTS (SELECT 1 FROM ledger_transfer r WHERE r.pending_id = t.id)
), entry AS (
    SELECT debit_id AS account_id, phase, id, amount AS debit, 0 AS credit FROM ledger_transfer
    UNION ALL
    SELECT credit_id, phase, id, 0, amount FROM ledger_transfer
), summed AS (
    SELECT a.id, a.code, a.currency, a.floor, a.cached,
        coalesce(sum(e.debit) FILTER (WHERE e.phase IN ('single', 'post')), 0) AS debits,
        coalesce(sum(e.credit) FILTER (WHERE e.phase IN ('single', 'post')), 0) AS credits,
        coalesce(sum(e.debit) FILTER (WHERE h.id IS NOT NULL), 0) AS debits_held,
        coalesce(sum(e.credit) FILTER (WHERE h.id IS NOT NULL), 0) AS credits_held
    FROM ledger_account a LEFT JOIN entry e ON e.account_id = a.id LEFT JOIN open_hold h ON h.id = e.id
    GROUP BY a.id
)
"""

BALANCED = f"""{_ENTRIES}
SELECT currency, format('debits are %s, credits %s', sum(debits), sum(credits))
FROM summed GROUP BY currency HAVING sum(debits) <> sum(credits)
"""  # noqa: S608 - constants

KEPT = f"""{_ENTRIES}
SELECT s.code, format(
    'kept are %s/%s posted and %s/%s held (debits/credits), the rows say %s/%s and %s/%s',
    a.debits_posted, a.credits_posted, a.debits_pending, a.credits_pending,
    s.debits, s.credits, s.debits_held, s.credits_held)
FROM summed s JOIN ledger_account a USING (id)
WHERE (a.cached AND (a.debits_posted, a.credits_posted, a.debits_pending, a.credits_pending)
                    <> (s.debits, s.credits, s.debits_held, s.credits_held))
   OR (NOT a.cached AND (a.debits_posted, a.credits_posted, a.debits_pending, a.credits_pending) <> (0, 0, 0, 0))
ORDER BY s.code
"""  # noqa: S608 - constants

FLOORS = f"""{_ENTRIES}
SELECT code, format('debits %s and %s held, credits %s and %s held', debits, debits_held, credits, credits_held)
FROM summed
WHERE (floor = 'debits_le_credits' AND debits + debits_held > credits)
   OR (floor = 'credits_le_debits' AND credits + credits_held > debits)
ORDER BY code
"""  # noqa: S608 - constants

RESOLVED = """
SELECT h.id::text, format('resolved %s times, as %s of %s; held were %s', count(*), string_agg(r.phase, ', '),
                          string_agg(r.amount::text, ', '), h.amount)
FROM ledger_transfer r LEFT JOIN ledger_transfer h ON h.id = r.pending_id
WHERE r.phase IN ('post', 'void')
GROUP BY h.id, h.amount, h.phase, h.debit_id, h.credit_id, h.currency
HAVING count(*) > 1 OR h.phase IS DISTINCT FROM 'pending' OR bool_or(r.amount > h.amount)
    OR bool_or((r.debit_id, r.credit_id, r.currency) IS DISTINCT FROM (h.debit_id, h.credit_id, h.currency))
"""

# From the operations, and compared with what the escrow's own rows say; what a bank took back is in rows only. What was
# set aside of a deposit never was the milestone's: its refund (with the deposit as parent) does not count.
MILESTONES = f"""{_ENTRIES}, counted AS (
    SELECT m.id, p.currency,
        coalesce(sum(o.amount) FILTER (WHERE o.kind = 'deposit' AND booked), 0) AS paid,
        coalesce(sum(o.amount) FILTER (WHERE o.kind = 'release' AND booked), 0)
            - coalesce(sum(o.amount) FILTER (WHERE o.kind = 'reversal' AND booked), 0) AS released,
        coalesce(sum(o.amount) FILTER (WHERE o.kind = 'refund' AND NOT of_suspense AND booked
            AND o.status <> 'failed_returned'), 0) AS refunded,
        coalesce(sum(o.amount) FILTER (WHERE o.kind IN ('release', 'refund') AND NOT of_suspense AND NOT booked
            AND o.status NOT IN ('reversing', 'rejected', 'failed_returned')), 0) AS held
    FROM payments_milestone m JOIN payments_project p ON p.id = m.project_id
    LEFT JOIN LATERAL (
        SELECT *, booked_at IS NOT NULL AS booked, kind = 'refund' AND parent_id IS NOT NULL AS of_suspense
        FROM payments_operation WHERE milestone_id = m.id) o ON true
    GROUP BY m.id, p.currency
), compared AS (
    SELECT c.*, coalesce(s.credits - s.debits, 0) AS in_book, coalesce(s.debits_held, 0) AS held_in_book,
        coalesce((SELECT sum(amount) FROM ledger_transfer t WHERE t.debit_id = s.id AND t.kind = 'dispute'), 0) AS lost
    FROM counted c LEFT JOIN summed s ON s.code = format('escrow:milestone:%s:%s', c.id, c.currency)
)
SELECT format('milestone %s', id), format(
    'paid %s, released %s, refunded %s, held %s, lost %s by the operations; in the book %s, of which held %s',
    paid, released, refunded, held, lost, in_book, held_in_book)
FROM compared
WHERE released + refunded + held + lost > paid OR released < 0
   OR in_book <> paid - released - refunded - lost OR held_in_book <> held
ORDER BY id
"""  # noqa: S608 - constants

# What each operation should have held, posted, given back and returned, against its rows.
OPERATIONS = """
WITH written AS (
    SELECT operation_id AS id,
        coalesce(sum(amount) FILTER (WHERE phase = 'pending'), 0) AS held,
        coalesce(sum(amount) FILTER (WHERE phase = 'post'), 0) AS posted,
        coalesce(sum(amount) FILTER (WHERE phase = 'void'), 0) AS voided,
        coalesce(sum(amount) FILTER (WHERE kind = 'deposit'), 0) AS deposited,
        coalesce(sum(amount) FILTER (WHERE kind LIKE '%\\_returned' AND kind <> 'fee_returned'), 0) AS returned
    FROM ledger_transfer WHERE operation_id IS NOT NULL GROUP BY operation_id
), wanted AS (
    SELECT o.id, o.kind, o.dispatch, o.status, o.booked_at IS NOT NULL AS booked,
        coalesce(w.held, 0) AS held, coalesce(w.posted, 0) AS posted, coalesce(w.voided, 0) AS voided,
        coalesce(w.deposited, 0) AS deposited, coalesce(w.returned, 0) AS returned,
        o.booked_at IS NULL AND o.status IN ('rejected', 'failed_returned', 'canceled', 'manual') AS over,
        CASE o.kind WHEN 'deposit' THEN 0 WHEN 'reversal' THEN o.amount - o.fee ELSE o.amount END AS moves,
        CASE WHEN o.kind = 'deposit' AND o.booked_at IS NOT NULL THEN o.amount ELSE 0 END AS deposits
    FROM payments_operation o LEFT JOIN written w USING (id)
)
SELECT format('%s %s', kind, id), format(
    'it is %s and %s%s; rows: held %s of %s, posted %s, voided %s, deposited %s of %s, returned %s',
    dispatch, status, CASE WHEN booked THEN ', booked' ELSE '' END,
    held, moves, posted, voided, deposited, deposits, returned)
FROM wanted
WHERE (held <> moves AND NOT (held = 0 AND (status = 'reversing' OR status = 'rejected' AND kind = 'refund')))
   OR (status = 'reversing' AND held <> 0)
   OR posted <> CASE WHEN booked THEN moves ELSE 0 END
   OR voided <> CASE WHEN over THEN held ELSE 0 END
   OR deposited <> deposits
   OR returned <> CASE WHEN booked AND status IN ('failed_returned', 'canceled') THEN moves ELSE 0 END
UNION ALL
SELECT format('hold %s', t.id), format('held are %s %s for no operation', t.amount, t.currency)
FROM ledger_transfer t LEFT JOIN payments_operation o ON o.id = t.operation_id
WHERE t.phase = 'pending' AND o.id IS NULL
  AND NOT EXISTS (SELECT 1 FROM ledger_transfer r WHERE r.pending_id = t.id)
"""

OBJECTS = """
SELECT stripe_id, format('made by %s operations', count(*))
FROM payments_operation WHERE stripe_id IS NOT NULL GROUP BY stripe_id HAVING count(*) > 1
UNION ALL
SELECT format('%s %s', kind, id), 'it is confirmed, and nobody knows as what'
FROM payments_operation WHERE dispatch = 'confirmed' AND stripe_id IS NULL
"""

INVARIANTS: tuple[tuple[int, str], ...] = (
    (1, BALANCED),
    (2, KEPT),
    (3, FLOORS),
    (4, RESOLVED),
    (5, MILESTONES),
    (6, OPERATIONS),
    (7, OBJECTS),
)
