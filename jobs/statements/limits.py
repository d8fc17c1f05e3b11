"""Queues of which only so much may run: their row is locked at each claim, a queue without one never touches it."""

# Its transaction holds up every worker of the queue: one that is frozen in it is thrown out.
LOCK_LIMIT = """
SELECT l.queue, set_config('idle_in_transaction_session_timeout', '2000', true) FROM jobs_queuelimit l
WHERE l.queue = (SELECT queue FROM jobs_job WHERE id = %(id)s AND state = 'waiting') FOR UPDATE
"""

LIMITED = """
SELECT 1 FROM jobs_queuelimit WHERE queue = (SELECT queue FROM jobs_job WHERE id = %(id)s AND state = 'waiting')
"""

_SPENT = "CASE WHEN l.window_start + make_interval(secs => l.period) > clock_timestamp() THEN l.window_runs ELSE 0 END"

# A statement of its own after the lock, so that it sees what those before it in line have claimed.
ROOM = f"""
SELECT l.queue, l.concurrency - (SELECT count(*) FROM jobs_job j WHERE j.state = 'active' AND j.queue = l.queue),
    l.rate - {_SPENT}
FROM jobs_queuelimit l WHERE %(queue)s::text IS NULL OR l.queue = %(queue)s
"""

# A period follows the one before without a gap while the queue is busy, so that the rate is kept though the first
# run of a period starts a little late.
SPEND = f"""
UPDATE jobs_queuelimit l SET
    window_runs = %(runs)s + {_SPENT},
    window_start = CASE
        WHEN l.window_start + make_interval(secs => l.period) > clock_timestamp() THEN l.window_start
        WHEN l.window_start + make_interval(secs => 2 * l.period) > clock_timestamp()
            THEN l.window_start + make_interval(secs => l.period)
        ELSE clock_timestamp() END
WHERE l.queue = %(queue)s AND l.rate IS NOT NULL
"""

NEXT_WINDOW = """
SELECT min(l.window_start + make_interval(secs => l.period)) FROM jobs_queuelimit l
WHERE l.window_runs >= l.rate AND l.window_start + make_interval(secs => l.period) > %(now)s
    AND EXISTS (SELECT FROM jobs_job j WHERE j.state = 'waiting' AND j.queue = l.queue)
"""
