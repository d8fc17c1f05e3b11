"""`make run`: everything ContraLock needs on this machine, started, looked after, stopped."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import environ

from contralock.local import banner, roster
from contralock.local.console import Console
from contralock.local.lock import AlreadyRunning, CheckoutLock
from contralock.local.options import Options
from contralock.local.ports import LOOPBACK, free_port, is_free
from contralock.local.postgres import Postgres
from contralock.local.postgres_binaries import NoPostgres
from contralock.local.postgres_cluster import ServerFailed
from contralock.local.processes import NotReady, Runner
from contralock.local.secret import kept_secret, write_private
from contralock.local.valkey import NoValkey, Valkey

DATABASE = "contralock"
WEB_PORT = 8000


class CannotRun(RuntimeError):
    """`make run` does not fit what was found; the message says why and what to do."""


class Stack:
    """One checkout's stack. Servers named in the environment or `.env` are used and not started."""

    def __init__(self, options: Options, console: Console, *, base: Path = roster.BASE_DIR) -> None:
        self.options = options
        self.console = console
        self.folder = base / ".local"
        self.env_file = self.folder / "run.env"
        self.scratch = self.folder / "tmp"  # each Celery worker leaves a folder behind in $TMPDIR
        self.password_file = self.folder / "operator-password"
        self.began = time.monotonic()
        os.environ.pop("IGNORE_ENV_FILES", None)  # the tests' switch; the processes here live by run.env
        if (base / ".env").exists():
            environ.Env.read_env(base / ".env")
        if os.environ.get("DEBUG", "true").lower() not in {"true", "on", "ok", "y", "yes", "1"}:
            raise CannotRun("DEBUG is switched off here, and `make run` is for development: unset DEBUG.")
        if taken := [port for port in options.ports() if not is_free(port)]:
            raise CannotRun(f"Port {taken[0]} is taken. Choose another, or leave the choice to `make run`.")
        self.web_port = options.port or free_port(WEB_PORT)
        self.flower_port = options.flower_port or free_port()
        self.site = f"http://localhost:{self.web_port}"
        self.values: dict[str, str] = {}

    def run(self) -> int:
        """Run until Ctrl-C or SIGTERM; 0 after a clean stop, 1 when it could not start."""
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o711)  # PostgreSQL's user walks through; the files are private
        with CheckoutLock(self.folder) as lock:
            self._sweep()
            if self.options.fresh:
                self.forget()
            self.scratch.mkdir(mode=0o700)
            os.environ["TMPDIR"] = str(self.scratch)
            runner = Runner(self.console, files=(self.env_file, lock.note), lock=lock.descriptor)
            with runner.signals():
                try:
                    return self._live(runner)
                finally:
                    self.console.block("Stopping …")
                    runner.stop()
                    self._sweep()

    def forget(self) -> None:
        """Remove the data of earlier runs, wherever the launcher put it."""
        Postgres.forget(self.folder / "postgres")
        for name in ("valkey", "mails"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for file in (self.password_file, self.folder / "stripe.json"):
            file.unlink(missing_ok=True)

    # ------------------------------------------------------------ steps
    def _sweep(self) -> None:
        """Remove what belongs to one run only."""
        self.env_file.unlink(missing_ok=True)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _live(self, runner: Runner) -> int:
        for step in self._steps(runner):
            if runner.stopping:
                return 0
            if step:
                self.console.block(step)
                return 1
        runner.run()
        return 0

    def _steps(self, runner: Runner) -> Iterator[str]:
        """Start in order; each step yields what went wrong, or nothing."""
        self._start_servers(runner)
        yield ""
        first_time = not self.password_file.exists()
        write_private(self.env_file, "".join(f"{name}={value}\n" for name, value in self._environment().items()))
        if runner.once(roster.module("prepare", str(self.password_file))):
            yield "The database could not be prepared; the lines above say why."
        yield ""
        for process in roster.application(self._queues(), port=self.web_port, flower_port=self.flower_port):
            runner.start(process)
        yield "" if runner.wait_ready() else "Stopped while starting."
        self.console.block(banner.table(self, first_time=first_time))
        if self.options.demo:
            runner.once(roster.module("demo", "--first-run"))
            if "STRIPE_API_BASE" in self.values:
                runner.once(roster.module("money", "--first-run"))
        yield ""

    def _start_servers(self, runner: Runner) -> None:
        """What the environment does not name is started here."""
        if "DATABASE_URL" not in os.environ:
            postgres = Postgres(self.folder / "postgres", port=self.options.postgres_port)
            runner.keep("postgres", postgres)
            postgres.create_database(DATABASE)
            self.values["DATABASE_URL"] = postgres.url(DATABASE)
        if not {"REDIS_URL", "REDIS_HOST"} & os.environ.keys():
            valkey = Valkey(self.folder / "valkey", port=self.options.redis_port)
            runner.keep("valkey", valkey)
            self.values["REDIS_URL"] = valkey.url
        if "SMTP_HOST" not in os.environ:
            self._start_mail_catcher(runner)
        if not {"STRIPE_API_BASE", "STRIPE_SECRET_KEY"} & os.environ.keys():
            port = self.options.stripe_port or free_port()
            runner.start(roster.local_stripe(self.folder, port=port, site=f"http://{LOOPBACK}:{self.web_port}"))
            self.values["STRIPE_API_BASE"] = f"http://{LOOPBACK}:{port}"

    def _start_mail_catcher(self, runner: Runner) -> None:
        smtp_port = self.options.smtp_port or free_port()
        http_port = self.options.mail_port or free_port()
        runner.start(roster.mail_catcher(self.folder / "mails", smtp_port=smtp_port, http_port=http_port))
        self.values |= {
            "SMTP_HOST": LOOPBACK,
            "SMTP_PORT": str(smtp_port),
            "SMTP_STARTTLS": "false",
            "SMTP_SECURE": "false",
            "LOCAL_MAIL_URL": f"http://{LOOPBACK}:{http_port}",
        }

    def _environment(self) -> dict[str, str]:
        return {
            "DEBUG": "true",
            "SECRET_KEY": kept_secret(self.folder / "secret-key", 50),
            "SITE_URL": self.site,
            "LOCAL_SITE_URL": self.site,  # a SITE_URL in .env may name another
            "JOBS_DRILL": "true",
            "THROTTLE_REGISTER": "1000/hour",
            **self.values,
        }

    def _queues(self) -> list[str]:
        from contralock import settings  # now that the servers are known; importing it earlier would miss them

        return list(settings.JOBS_QUEUES)


def run(options: Options) -> int:
    """`python -m contralock.local run`; what goes wrong is one line on stderr and exit code 1."""
    try:
        return Stack(options, Console()).run()
    except FORESEEN as problem:
        print(problem, file=sys.stderr)
        return 1


def clean() -> int:
    """`python -m contralock.local clean`; refused while `make run` is up."""
    try:
        stack = Stack(Options(), Console())
        if stack.folder.exists():
            with CheckoutLock(stack.folder):
                stack.forget()
    except FORESEEN as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


FORESEEN = (
    *(AlreadyRunning, CannotRun, NoPostgres, NoValkey, NotReady, ServerFailed),
    *(PermissionError, TimeoutError),
)
