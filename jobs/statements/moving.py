"""Moves of jobs that do not run."""

from jobs.statements.guards import IN_DOUBT

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
