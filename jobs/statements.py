"""The SQL of the moves (jobs/lifecycle.py runs it).

Every statement is guarded: it names the state, and where an owner writes also the lease token, and
returns the rows it really moved. `clock_timestamp()` is the only clock.
"""

_OPEN = """NOT EXISTS (SELECT FROM jobs_queuepause p WHERE p.queue = j.queue
        AND (p.until IS NULL OR p.until > clock_timestamp()))"""

_KEY_FREE = """(j.concurrency_key IS NULL OR NOT EXISTS (SELECT FROM jobs_job o
        WHERE o.concurrency_key = j.concurrency_key AND o.state = 'active'))"""

# The second branch makes it repeatable: a claim whose answer was lost with the connection finds its own token.
CLAIM = f"""
UPDATE jobs_job j SET
    runs = j.runs + CASE WHEN j.state = 'waiting' THEN 1 ELSE 0 END,
    state = 'active', lease_token = %(token)s, worker = %(worker)s, worker_pid = %(pid)s,
    started_at = clock_timestamp(),
    lease_until = clock_timestamp() + make_interval(secs => %(lease)s),
    deadline = clock_timestamp() + make_interval(secs => %(timeout)s)
WHERE j.id = %(id)s AND j.kind = ANY(%(kinds)s) AND (
    (j.state = 'waiting' AND {_OPEN} AND {_KEY_FREE}
        AND (j.expires_at IS NULL OR j.runs > 0 OR j.expires_at > clock_timestamp()))
    OR (j.state = 'active' AND j.lease_token = %(token)s))
RETURNING j.kind, j.queue, j.args, j.sealed_args, j.runs, j.failures, j.crashes, j.max_attempts, j.available_at,
    j.concurrency_key, j.cancel_requested, j.trace
"""

# Why a claim got nothing.
REFUSAL = f"""
SELECT j.state, j.kind, COALESCE(j.expires_at <= clock_timestamp() AND j.runs = 0, false),
    NOT ({_OPEN}), NOT ({_KEY_FREE})
FROM jobs_job j WHERE j.id = %(id)s
"""

_ATTEMPT = """INSERT INTO jobs_attempt
    (job_id, number, worker, worker_pid, due_at, started_at, finished_at, outcome, error_class, message, traceback)
    SELECT id, runs, worker, worker_pid, available_at, started_at, clock_timestamp(),
        %(outcome)s, %(error_class)s, %(error)s, %(traceback)s FROM old"""

FINISH = f"""
WITH old AS (
    SELECT id, runs, worker, worker_pid, available_at, started_at,
        CASE WHEN cancel_requested AND %(cancellable)s THEN 'cancelled' ELSE %(state)s END AS target
    FROM jobs_job WHERE id = %(id)s AND lease_token = %(token)s AND state = 'active' FOR UPDATE
), moved AS (
    UPDATE jobs_job j SET
        state = old.target,
        failures = j.failures + %(failures)s,
        available_at = CASE WHEN %(delay)s::float8 IS NULL THEN j.available_at
            ELSE clock_timestamp() + make_interval(secs => %(delay)s) END,
        finished_at = CASE WHEN old.target = ANY(%(finished)s) THEN clock_timestamp() END,
        lease_until = NULL, deadline = NULL, published_at = NULL, rings = 0,
        cancel_requested = j.cancel_requested AND %(outcome)s <> 'unknown',
        result = %(result)s::jsonb, error = %(error)s
    FROM old WHERE j.id = old.id RETURNING j.state
), ended AS ({_ATTEMPT} RETURNING number)
SELECT moved.state FROM moved, ended
"""

OWNED = "SELECT state FROM jobs_job WHERE id = %(id)s AND lease_token = %(token)s"

# The token is the fence: a lease that ran out is still extended as long as nobody took the job.
HEARTBEAT = """
UPDATE jobs_job SET lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE id = %(id)s AND lease_token = %(token)s AND state = 'active'
RETURNING cancel_requested, COALESCE((SELECT stopping FROM jobs_worker w WHERE w.id = jobs_job.worker), false)
"""

# The token goes too, so that a late finish cannot take this move for its own.
_LOSE = f"""
WITH old AS (
    SELECT id, runs, worker, worker_pid, available_at, started_at, crashes FROM jobs_job
    WHERE state = 'active' AND {{guard}}
    ORDER BY lease_until LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), moved AS (
    UPDATE jobs_job j SET
        state = CASE WHEN old.crashes + 1 >= %(crash_limit)s THEN 'failed' ELSE 'waiting' END,
        finished_at = CASE WHEN old.crashes + 1 >= %(crash_limit)s THEN clock_timestamp() END,
        crashes = old.crashes + 1, lease_token = NULL, lease_until = NULL, deadline = NULL,
        published_at = NULL, rings = 0, error = %(error)s
    FROM old WHERE j.id = old.id RETURNING j.id, j.kind, j.queue, j.state, j.concurrency_key
), ended AS ({_ATTEMPT})
SELECT id, kind, queue, state, concurrency_key FROM moved
"""
LOSE_EXPIRED = _LOSE.format(guard="lease_until < %(now)s")
LOSE_CHILD = _LOSE.format(guard="id = %(id)s AND worker = %(worker)s AND worker_pid = %(pid)s")

PROMOTE = """
WITH due AS (
    SELECT id FROM jobs_job WHERE state = 'delayed' AND available_at <= %(now)s
    ORDER BY available_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE jobs_job j SET state = 'waiting', published_at = NULL, rings = 0 FROM due WHERE j.id = due.id RETURNING j.id
"""

EXPIRE = """
WITH late AS (
    SELECT id FROM jobs_job WHERE state IN ('waiting', 'delayed') AND expires_at <= %(now)s AND runs = 0
    ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE jobs_job j SET state = 'cancelled', finished_at = clock_timestamp(), error = 'expired before it was started'
FROM late WHERE j.id = late.id RETURNING j.id
"""

# What a claim would take now and nobody has been told of: never rung, rung into the void, or silent for too long.
RESERVE = f"""
WITH head AS (
    SELECT j.id FROM jobs_job j
    WHERE j.state = 'waiting' AND j.queue = %(queue)s AND {{which}}
        AND {_OPEN} AND {_KEY_FREE}
        AND (j.concurrency_key IS NULL OR j.id = (SELECT k.id FROM jobs_job k
            WHERE k.concurrency_key = j.concurrency_key AND k.queue = j.queue AND k.state = 'waiting'
            ORDER BY k.priority, k.available_at, k.id LIMIT 1))
    ORDER BY j.priority, j.available_at, j.id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE jobs_job j SET published_at = clock_timestamp(), dispatch_no = j.dispatch_no + 1,
    rings = LEAST(j.rings + 1, 1000)
FROM head WHERE j.id = head.id
RETURNING j.id, j.dispatch_no, j.kind, j.queue, j.priority, j.available_at, j.rings > 1 OR j.crashes > 0
"""
RESERVE_SILENT = RESERVE.format(
    which="""(%(kinds)s::text[] IS NULL OR j.kind = ANY(%(kinds)s::text[]))
        AND (j.published_at IS NULL OR j.published_at < %(lost_before)s OR j.published_at
            < %(now)s - make_interval(secs => LEAST(%(cap)s, %(base)s * power(2.0, LEAST(j.rings, 20) - 1))))"""
)
RESERVE_IDS = RESERVE.format(which="j.id = ANY(%(ids)s)")
RESERVE_KEY = RESERVE.replace("j.queue = %(queue)s AND {which}", "j.concurrency_key = %(key)s").format()

# A mail or money may be under way: only the resend, a resolver or a person ends a doubt.
IN_DOUBT = "EXISTS (SELECT FROM jobs_attempt a WHERE a.job_id = jobs_job.id AND a.outcome = 'unknown')"

# A worker that was not seen for a lease is gone, and the doorbells that it had taken and not answered with it.
GONE_WORKERS = """
UPDATE jobs_worker SET stopped_at = clock_timestamp()
WHERE stopped_at IS NULL AND seen_at < %(before)s RETURNING name, queues
"""

CANCEL_UNSTARTED = f"""
UPDATE jobs_job SET state = 'cancelled', finished_at = clock_timestamp(), error = %(reason)s
WHERE id = %(id)s AND state IN ('waiting', 'delayed') AND NOT {IN_DOUBT} RETURNING state
"""
CANCEL_ACTIVE = f"""
UPDATE jobs_job SET cancel_requested = true
WHERE id = %(id)s AND state = 'active' AND NOT {IN_DOUBT} RETURNING state
"""

# The wait after a doubt is the handler's: it gives the other side time to say what happened.
PROMOTE_ONE = """
UPDATE jobs_job SET state = 'waiting', available_at = LEAST(available_at, clock_timestamp()),
    published_at = NULL, rings = 0
WHERE id = %(id)s AND state = 'delayed' AND NOT EXISTS (SELECT FROM jobs_attempt a
    WHERE a.job_id = jobs_job.id AND a.number = jobs_job.runs AND a.outcome = 'unknown')
RETURNING queue
"""

RETRY = """
UPDATE jobs_job SET state = 'waiting', failures = 0, crashes = 0, available_at = clock_timestamp(), finished_at = NULL,
    expires_at = NULL, cancel_requested = false, published_at = NULL, rings = 0, error = '', result = NULL
WHERE id = %(id)s AND state IN ('failed', 'cancelled') RETURNING queue
"""

RESOLVE = """
UPDATE jobs_job SET state = %(state)s, error = %(reason)s, published_at = NULL, rings = 0,
    cancel_requested = false, expires_at = CASE WHEN %(state)s = 'waiting' THEN NULL ELSE expires_at END,
    available_at = CASE WHEN %(state)s = 'waiting' THEN clock_timestamp() ELSE available_at END,
    finished_at = CASE WHEN %(state)s = 'waiting' THEN NULL ELSE clock_timestamp() END
WHERE id = %(id)s AND state = 'unknown' RETURNING queue
"""

UNRING = """
UPDATE jobs_job SET published_at = NULL WHERE id = ANY(%(ids)s) AND state = 'waiting' RETURNING id
"""

PROGRESS = """
UPDATE jobs_job SET progress = %(progress)s::jsonb
WHERE id = %(id)s AND lease_token = %(token)s AND state = 'active' RETURNING id
"""
