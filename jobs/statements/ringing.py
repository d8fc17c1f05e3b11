"""Which jobs are rung now."""

from jobs.statements.guards import KEY_FREE, OPEN

# What a claim would take now and nobody has been told of: never rung, rung into the void, or silent for too long.
RESERVE = f"""
WITH head AS (
    SELECT j.id FROM jobs_job j
    WHERE j.state = 'waiting' AND j.queue = %(queue)s AND {{which}}
        AND {OPEN} AND {KEY_FREE}
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

RESERVE_KIND = RESERVE.format(which="j.kind = ANY(%(kinds)s)")

RESERVE_UNRUNG = RESERVE.format(which="j.published_at IS NULL")

UNRING = """
UPDATE jobs_job SET published_at = NULL WHERE id = ANY(%(ids)s) AND state = 'waiting' RETURNING id
"""
