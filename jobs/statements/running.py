"""Claiming, renewing, finishing and losing a run."""

from jobs.statements.guards import ATTEMPT, KEY_FREE, OPEN, PERMITTED, UNEXPIRED

_CLAIMED = """j.kind, j.queue, j.args, j.sealed_args, j.runs, j.failures, j.crashes, j.max_attempts, j.available_at,
    j.concurrency_key, j.cancel_requested, j.trace, j.priority"""

# The second branch makes it repeatable: a claim whose answer was lost with the connection finds its own token.
CLAIM = f"""
UPDATE jobs_job j SET
    runs = j.runs + CASE WHEN j.state = 'waiting' THEN 1 ELSE 0 END,
    state = 'active', lease_token = %(token)s, worker = %(worker)s, worker_pid = %(pid)s,
    started_at = clock_timestamp(),
    lease_until = clock_timestamp() + make_interval(secs => %(lease)s),
    deadline = clock_timestamp() + make_interval(secs => %(timeout)s)
WHERE j.id = %(id)s AND j.kind = ANY(%(kinds)s) AND (
    (j.state = 'waiting' AND {OPEN} AND {KEY_FREE}
        AND {UNEXPIRED} AND {PERMITTED})
    OR (j.state = 'active' AND j.lease_token = %(token)s))
RETURNING j.id, {_CLAIMED}
"""

# The job that a doorbell names and more of its kind from the head of its queue, under one token: a fold goes ahead
# of nobody who has waited much longer, and never reads a long line of other kinds. One that has crashed runs alone,
# so that a poison job takes nobody with it twice. Repeatable as CLAIM is, by `mine`.
CLAIM_FOLD = f"""
WITH mine AS (
    SELECT id FROM jobs_job WHERE state = 'active' AND lease_token = %(token)s
), named AS (
    SELECT j.id, j.crashes FROM jobs_job j
    WHERE j.id = %(id)s AND j.kind = ANY(%(kinds)s) AND j.state = 'waiting' AND {OPEN} AND {KEY_FREE}
        AND {UNEXPIRED} AND {PERMITTED} AND NOT EXISTS (SELECT FROM mine)
    FOR UPDATE SKIP LOCKED
), head AS (
    SELECT id, kind FROM jobs_job
    WHERE queue = (SELECT queue FROM jobs_job WHERE id = %(id)s) AND state = 'waiting'
    ORDER BY priority, available_at, id LIMIT 2 * %(size)s + 100
), more AS (
    SELECT j.id FROM jobs_job j JOIN head ON head.id = j.id
    WHERE head.kind = ANY(%(kinds)s) AND j.state = 'waiting' AND j.id <> %(id)s
        AND j.crashes = 0 AND j.concurrency_key IS NULL AND {OPEN} AND {UNEXPIRED} AND {PERMITTED}
        AND NOT EXISTS (SELECT FROM mine) AND NOT EXISTS (SELECT FROM named WHERE crashes > 0)
    ORDER BY j.priority, j.available_at, j.id
    LIMIT %(size)s - (SELECT count(*) FROM named) FOR UPDATE OF j SKIP LOCKED
), taken AS (
    SELECT id FROM mine UNION ALL SELECT id FROM named UNION ALL SELECT id FROM more
)
UPDATE jobs_job j SET
    runs = j.runs + CASE WHEN j.state = 'waiting' THEN 1 ELSE 0 END,
    state = 'active', lease_token = %(token)s, worker = %(worker)s, worker_pid = %(pid)s,
    started_at = clock_timestamp(),
    lease_until = clock_timestamp() + make_interval(secs => %(lease)s),
    deadline = clock_timestamp() + make_interval(secs => %(timeout)s + %(spell)s)
FROM taken WHERE j.id = taken.id
RETURNING j.id, {_CLAIMED}
"""

# What was claimed in a fold and not begun: as if it had not been claimed. Its doorbell counts as rung still,
# unless the process that would have answered the next one ends.
GIVE_BACK = """
WITH old AS (
    SELECT id FROM jobs_job WHERE id = ANY(%(ids)s) AND lease_token = %(token)s AND state = 'active'
    ORDER BY id FOR UPDATE
)
UPDATE jobs_job j SET
    state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'waiting' END,
    finished_at = CASE WHEN cancel_requested THEN clock_timestamp() END,
    runs = runs - 1, started_at = CASE WHEN runs > 1 THEN started_at END,
    lease_token = NULL, lease_until = NULL, deadline = NULL,
    published_at = CASE WHEN NOT %(unring)s THEN published_at END
FROM old WHERE j.id = old.id RETURNING j.id, j.state
"""

# Why a claim got nothing.
REFUSAL = f"""
SELECT j.state, j.kind, COALESCE(j.expires_at <= clock_timestamp() AND j.runs = 0, false),
    NOT ({OPEN}), NOT ({KEY_FREE}), EXISTS (SELECT FROM jobs_queuelimit l WHERE l.queue = j.queue)
FROM jobs_job j WHERE j.id = %(id)s
"""

# Many at once, as the runs of a fold end. In order of id, as HEARTBEAT locks them: the two meet without a deadlock.
FINISH = f"""
WITH said AS (
    SELECT * FROM jsonb_to_recordset(%(said)s::jsonb) AS s (id uuid, state text, cancellable bool, failures int,
        delay float8, result text, outcome text, error_class text, error text, traceback text, began float8,
        ended float8)
), old AS (
    SELECT j.id, j.runs, j.worker, j.worker_pid, j.available_at,
        COALESCE(clock_timestamp() - make_interval(secs => said.began), j.started_at) AS started_at,
        clock_timestamp() - make_interval(secs => said.ended) AS ended_at,
        said.failures, said.delay, said.result, said.outcome, said.error_class, said.error, said.traceback,
        CASE WHEN j.cancel_requested AND said.cancellable THEN 'cancelled' ELSE said.state END AS target
    FROM jobs_job j JOIN said ON said.id = j.id
    WHERE j.lease_token = %(token)s AND j.state = 'active' ORDER BY j.id FOR UPDATE OF j
), moved AS (
    UPDATE jobs_job j SET
        state = old.target,
        failures = j.failures + old.failures,
        available_at = CASE WHEN old.delay IS NULL THEN j.available_at
            ELSE clock_timestamp() + make_interval(secs => old.delay) END,
        started_at = old.started_at,
        finished_at = CASE WHEN old.target IN ('completed', 'failed', 'cancelled') THEN old.ended_at END,
        lease_until = NULL, deadline = NULL, published_at = NULL, rings = 0,
        cancel_requested = j.cancel_requested AND old.outcome <> 'unknown',
        result = old.result::jsonb, error = old.error
    FROM old WHERE j.id = old.id RETURNING j.id, j.state
), ended AS ({ATTEMPT})
SELECT id, state FROM moved
"""

OWNED = "SELECT id, state FROM jobs_job WHERE id = ANY(%(ids)s) AND lease_token = %(token)s"

# The token is the fence: a lease that ran out is still extended as long as nobody took the job.
HEARTBEAT = """
WITH mine AS (
    SELECT id FROM jobs_job WHERE id = ANY(%(ids)s) AND lease_token = %(token)s AND state = 'active'
    ORDER BY id FOR UPDATE
)
UPDATE jobs_job j SET lease_until = clock_timestamp() + make_interval(secs => %(lease)s) FROM mine WHERE j.id = mine.id
RETURNING j.id, j.cancel_requested, COALESCE((SELECT stopping FROM jobs_worker w WHERE w.id = j.worker), false)
"""

PROGRESS = """
UPDATE jobs_job SET progress = %(progress)s::jsonb
WHERE id = %(id)s AND lease_token = %(token)s AND state = 'active' RETURNING id
"""

# The token goes too, so that a late finish cannot take this move for its own.
_LOSE = f"""
WITH old AS (
    SELECT id, runs, worker, worker_pid, available_at, started_at, crashes, clock_timestamp() AS ended_at,
        'crashed' AS outcome, '' AS error_class, %(error)s::text AS error, '' AS traceback FROM jobs_job
    WHERE state = 'active' AND {{guard}}
    ORDER BY lease_until LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), moved AS (
    UPDATE jobs_job j SET
        state = CASE WHEN old.crashes + 1 >= %(crash_limit)s THEN 'failed' ELSE 'waiting' END,
        finished_at = CASE WHEN old.crashes + 1 >= %(crash_limit)s THEN clock_timestamp() END,
        crashes = old.crashes + 1, lease_token = NULL, lease_until = NULL, deadline = NULL,
        published_at = NULL, rings = 0, error = old.error
    FROM old WHERE j.id = old.id RETURNING j.id, j.kind, j.queue, j.state, j.concurrency_key
), ended AS ({ATTEMPT})
SELECT id, kind, queue, state, concurrency_key FROM moved
"""

LOSE_EXPIRED = _LOSE.format(guard="lease_until < %(now)s")

# Not by job: a child may have held a fold.
LOSE_CHILD = _LOSE.format(guard="worker = %(worker)s AND worker_pid = %(pid)s")

# A worker that was not seen for a lease is gone, and the doorbells that it had taken and not answered with it.
GONE_WORKERS = """
UPDATE jobs_worker SET stopped_at = clock_timestamp()
WHERE stopped_at IS NULL AND seen_at < %(before)s RETURNING name, queues
"""
