"""Conditions that several moves share. `j` is the job."""

OPEN = """NOT EXISTS (SELECT FROM jobs_queuepause p WHERE p.queue = j.queue
        AND (p.until IS NULL OR p.until > clock_timestamp()))"""

KEY_FREE = """(j.concurrency_key IS NULL OR NOT EXISTS (SELECT FROM jobs_job o
        WHERE o.concurrency_key = j.concurrency_key AND o.state = 'active'))"""

PERMITTED = "(%(permitted)s OR NOT EXISTS (SELECT FROM jobs_queuelimit l WHERE l.queue = j.queue))"

UNEXPIRED = "(j.expires_at IS NULL OR j.runs > 0 OR j.expires_at > clock_timestamp())"

# An alias of the rows that a move is about, with what the attempt shall say, is called `old`.
ATTEMPT = """INSERT INTO jobs_attempt
    (job_id, number, worker, worker_pid, due_at, started_at, finished_at, outcome, error_class, message, traceback)
    SELECT id, runs, worker, worker_pid, available_at, started_at, ended_at, outcome, error_class, error, traceback
    FROM old"""

# A mail or money may be under way: only the resend, a resolver or a person ends a doubt.
IN_DOUBT = "EXISTS (SELECT FROM jobs_attempt a WHERE a.job_id = jobs_job.id AND a.outcome = 'unknown')"
