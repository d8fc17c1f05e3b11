"""Dockerfile, docker-compose.yml and deploy/entrypoint.sh against the code they carry. No Docker is needed."""

from __future__ import annotations

import ast
import fnmatch
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import environ
import pytest
import yaml
from django.db.models.functions import Now
from django.utils import timezone

from contralock import probe
from jobs.kinds import REGISTRY
from jobs.models import Keeper, Worker

ROOT = Path(__file__).parent.parent
ENTRYPOINT = ROOT / "deploy" / "entrypoint.sh"
OURS = re.compile(r"contralock:")
COMPOSE_ONLY = {"POSTGRES_PASSWORD", "FLOWER_BASIC_AUTH", "WORKER_STOP_GRACE", "PORT", "FLOWER_PORT", "MAIL_PORT"}
"""What .env may name for docker-compose.yml alone; FLOWER_BASIC_AUTH is read by Flower itself."""
REQUIRED = {
    "SECRET_KEY": "s" * 60,
    "POSTGRES_PASSWORD": "pgword",
    "REDIS_PASSWORD": "redisword",
    "FLOWER_BASIC_AUTH": "op:word",
    "ALLOWED_HOSTS": "localhost",
    "SMTP_HOST": "mail",
}

VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<how>:[-?])?(?P<what>[^}]*)\}")


def filled(value: Any) -> Any:
    """`value` with its ${…} replaced, as compose does it when .env holds REQUIRED."""
    if isinstance(value, dict):
        return {name: filled(one) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one) for one in value]
    if isinstance(value, str):
        return VARIABLE.sub(
            lambda m: REQUIRED[m["name"]] if m["name"] in REQUIRED else m["what"] if m["how"] == ":-" else "", value
        )
    return value


COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = filled(yaml.safe_load(COMPOSE_TEXT))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
APP = {name: service for name, service in SERVICES.items() if OURS.match(service["image"])}
WORKERS = {name: service for name, service in APP.items() if service["command"][0] == "worker"}


def seconds(duration: str) -> int:
    """Compose's "1m30s" as a number."""
    unit = {"h": 3600, "m": 60, "s": 1}
    assert re.fullmatch(r"(\d+[hms])+", duration), duration
    return sum(int(number) * unit[letter] for number, letter in re.findall(r"(\d+)([hms])", duration))


def environment_names() -> dict[str, object]:
    """Every name that settings.py and env.py read, with its default where that is a constant."""
    found: dict[str, object] = {}
    for file in ("settings.py", "env.py"):
        for node in ast.walk(ast.parse((ROOT / "contralock" / file).read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="env")), args=[ast.Constant(value=str(name)), *_], keywords=kw
                ):
                    defaults = [k.value.value for k in kw if k.arg == "default" and isinstance(k.value, ast.Constant)]
                    found[name] = defaults[0] if defaults else None
    return found


def production_default(name: str) -> float:
    """A setting's default; the tests' own settings are shorter."""
    value = environment_names()[name]
    assert isinstance(value, int | float)
    return float(value)


# ---------------------------------------------------------------- docker-compose.yml
def test_every_queue_has_one_worker_service_and_nothing_else_has_one(settings: Any) -> None:
    assert sorted(service["command"] for service in WORKERS.values()) == sorted(
        ["worker", queue] for queue in settings.JOBS_QUEUES
    )
    assert set(WORKERS) == {f"worker-{queue}" for queue in settings.JOBS_QUEUES}


def test_our_processes_are_given_only_names_that_the_settings_read() -> None:
    known = set(environment_names())
    assert {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "JOBS_TIMEOUT"} <= known  # the reader reads
    for name, service in APP.items():
        assert set(service["environment"]) - known <= {"FLOWER_BASIC_AUTH"}, name


def test_dot_env_is_asked_only_for_settings_and_for_what_compose_itself_needs() -> None:
    asked = {m["name"] for m in VARIABLE.finditer(COMPOSE_TEXT)}
    assert asked <= set(environment_names()) | COMPOSE_ONLY
    assert asked >= COMPOSE_ONLY


@pytest.mark.parametrize("name", REQUIRED)
def test_what_must_be_chosen_has_no_default_and_says_so(name: str) -> None:
    uses = [m for m in VARIABLE.finditer(COMPOSE_TEXT) if m["name"] == name]
    assert uses
    assert all(m["how"] == ":?" and ".env" in m["what"] for m in uses)


def test_the_addresses_in_compose_mean_what_the_settings_understand() -> None:
    for name, service in APP.items():
        given = service["environment"]
        database = environ.Env.db_url_config(given["DATABASE_URL"])
        server = SERVICES[database["HOST"]]["environment"]
        assert database["ENGINE"] == "django.db.backends.postgresql", name
        assert (database["USER"], database["NAME"]) == (server["POSTGRES_USER"], server["POSTGRES_DB"]), name
        assert database["PASSWORD"] == server["POSTGRES_PASSWORD"] == REQUIRED["POSTGRES_PASSWORD"], name
        assert given["REDIS_URL"] == f"redis://:{REQUIRED['REDIS_PASSWORD']}@redis:6379/0", name
        assert given["DEBUG"] == "false", name


def test_a_worker_may_finish_the_longest_job_before_it_is_killed() -> None:
    longest = max(production_default("JOBS_TIMEOUT"), *(kind.timeout for kind in REGISTRY.values()))
    hard_limit = longest + production_default("JOBS_LEASE") + 15  # jobs/kinds.py
    for name, service in WORKERS.items():
        assert seconds(service["stop_grace_period"]) > hard_limit, name


def test_redis_writes_to_disk_and_throws_nothing_away() -> None:
    command = SERVICES["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"
    assert options["--requirepass"] == SERVICES["redis"]["environment"]["REDISCLI_AUTH"] == REQUIRED["REDIS_PASSWORD"]


def test_two_beats_run() -> None:
    beats = [service for service in APP.values() if service["command"] == ["beat"]]
    assert sum(service.get("deploy", {}).get("replicas", 1) for service in beats) == 2
    assert all("container_name" not in service for service in SERVICES.values())  # it would forbid the second


def test_every_image_has_a_version() -> None:
    for name, service in SERVICES.items():
        tag = service["image"].partition(":")[2]
        assert tag, name
        assert tag != "latest", name


def test_the_images_of_ours_are_one() -> None:
    assert {(service["image"], json.dumps(service["build"])) for service in APP.values()} == {
        ("contralock:dev", json.dumps({"context": ".", "args": {"VERSION": "dev"}}))
    }


def test_everything_that_stays_has_a_health_check() -> None:
    for name, service in SERVICES.items():
        if name == "migrate":
            assert service["restart"] == "no"
            continue
        assert service["restart"] == "unless-stopped", name
        check = service["healthcheck"]
        assert check["test"][0] in {"CMD", "CMD-SHELL"}, name
        assert seconds(check["timeout"]) <= seconds(check["interval"]), name
        if name in APP:
            assert check["test"][1:4] == ["python", "-m", "contralock.probe"], name
            assert check["test"][4] == {"beat": "keeper"}.get(service["command"][0], service["command"][0])
            assert check["test"][4] in probe.CHECKS


def test_everybody_waits_for_the_migrations_and_they_for_postgresql() -> None:
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name, service in APP.items():
        if name in {"migrate", "flower"}:  # Flower reads no database
            continue
        assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}, name
        assert service["depends_on"]["redis"] == {"condition": "service_healthy"}, name


def test_only_site_flower_and_mails_can_be_reached_and_only_from_this_host() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {
        "web": [f"127.0.0.1:8000:{probe.WEB_PORT}"],
        "flower": [f"127.0.0.1:5555:{probe.FLOWER_PORT}"],
        "mail": ["127.0.0.1:8025:8025"],
    }
    assert COMPOSE["networks"]["servers"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == SERVICES["redis"]["networks"] == ["servers"]


def test_nothing_runs_with_more_rights_than_it_needs() -> None:
    for name, service in SERVICES.items():
        assert service["read_only"] is True, name
        assert "/tmp" in service["tmpfs"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "cap_add", "network_mode", "pid"} & set(service), name
        assert name in APP or service["user"].split(":")[0] not in {"", "0", "root"}, name


def test_data_lies_in_named_volumes() -> None:
    mounted = {name: service["volumes"] for name, service in SERVICES.items() if "volumes" in service}
    writers = {"web", "worker-email", "worker-invoice", "worker-general"}
    assert mounted == {
        "postgres": ["postgres:/var/lib/postgresql"],
        "redis": ["redis:/data"],
        **{name: ["media:/var/lib/contralock/media"] for name in writers},
    }
    assert set(COMPOSE["volumes"]) == {"postgres", "redis", "media"}
    assert "MEDIA_ROOT=/var/lib/contralock/media" in (ROOT / "Dockerfile").read_text()


def test_docker_compose_itself_takes_the_file(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("there is no docker compose on this machine")
    env_file = tmp_path / "env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in REQUIRED.items()))
    asked = [docker, "compose", "-f", str(ROOT / "docker-compose.yml"), "--env-file", str(env_file), "config", "-q"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------- Dockerfile
def instructions() -> list[tuple[str, str]]:
    """(word, rest) of every instruction, continued lines joined."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def stage(number: int) -> list[tuple[str, str]]:
    """The instructions of one stage, its FROM first."""
    every = instructions()
    starts = [index for index, (word, _) in enumerate(every) if word == "FROM"]
    return every[starts[number] : [*starts, len(every)][starts.index(starts[number]) + 1]]


def test_both_stages_start_from_the_python_of_the_project() -> None:
    python = (ROOT / ".python-version").read_text().strip()
    bases = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    assert bases == [f"python:{python}-slim-bookworm"] * 2


def test_a_changed_line_of_code_installs_nothing_anew() -> None:
    steps = [f"{word} {rest}" for word, rest in stage(0)]
    lock, sync, source = (
        next(index for index, step in enumerate(steps) if wanted in step)
        for wanted in ("COPY pyproject.toml uv.lock", "uv sync", "COPY . .")
    )
    assert lock < sync < source
    assert {"--frozen", "--no-dev", "--compile-bytecode"} <= set(steps[sync].split())
    assert "--no-group local" in steps[sync]
    assert re.search(r"\buv==\d+\.\d+\.\d+\b", (ROOT / "Dockerfile").read_text())


def test_the_version_comes_last_so_that_it_rebuilds_nothing() -> None:
    words = [word for word, _ in stage(1)]
    assert words.index("ARG") > max(index for index, word in enumerate(words) if word in {"RUN", "COPY"})
    assert ("ENV", "VERSION=$VERSION") in stage(1)


def test_the_image_runs_as_a_fixed_nobody_who_owns_nothing() -> None:
    users = [rest for word, rest in stage(1) if word == "USER"]
    assert users == ["10001:10001"]  # a number, so that Kubernetes can tell that it is not root
    assert not [rest for word, rest in stage(1) if word == "COPY" and "--chown" in rest]


def test_signals_reach_the_program() -> None:
    entrypoint, command = (
        json.loads(next(rest for word, rest in stage(1) if word == wanted)) for wanted in ("ENTRYPOINT", "CMD")
    )
    assert entrypoint == ["tini", "--", "sh", f"/app/{ENTRYPOINT.relative_to(ROOT)}"]
    assert command == ["web"]
    assert ("STOPSIGNAL", "SIGTERM") in stage(1)


def test_no_secret_and_no_build_tool_stays_in_the_image() -> None:
    kept = [rest for word, rest in instructions() if word in {"ENV", "ARG", "LABEL"}]
    assert not [rest for rest in kept if re.search(r"SECRET|PASSWORD|TOKEN|_KEY", rest)]
    final = " ".join(rest for _, rest in stage(1))
    assert not re.search(r"build-essential|\bgcc\b|-dev\b|\bpip\b|\buv\b", final)
    assert "PYTHONDONTWRITEBYTECODE" not in (ROOT / "Dockerfile").read_text()


def test_the_libraries_of_the_invoices_are_in_the_image() -> None:
    installed = next(rest for word, rest in stage(1) if word == "RUN" and "apt-get" in rest).split()
    assert {"libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core", "tini"} <= set(installed)
    assert "--no-install-recommends" in installed


# ---------------------------------------------------------------- .dockerignore
def sent_to_the_builder(path: str) -> bool:
    """Docker's rule: a pattern matches a path or a folder above it, and the last one that matches decides."""
    sent = True
    parts = path.split("/")
    above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        if pattern.startswith("**/"):
            matches = any(fnmatch.fnmatchcase(part, pattern[3:]) for part in parts)
        else:
            matches = any(
                name.count("/") == pattern.count("/") and fnmatch.fnmatchcase(name, pattern) for name in above
            )
        if matches:
            sent = line.startswith("!")
    return sent


@pytest.mark.parametrize(
    "path",
    [
        *(".env", ".env.example", ".git/config", ".local/run.env", ".local/secret-key", ".venv/bin/python"),
        *("tests/servers.py", "staticfiles/x.css", "deploy/prometheus.yml", "docker-compose.yml", "dump.sql"),
        *("contralock/.env", "jobs/__pycache__/models.cpython-313.pyc", "contralock/__pycache__/x.py"),
    ],
)
def test_these_never_reach_the_image(path: str) -> None:
    assert not sent_to_the_builder(path)


def test_all_code_that_runs_reaches_the_image(settings: Any) -> None:
    ours = {app.partition(".")[0] for app in settings.INSTALLED_APPS}
    ours = {name for name in ours if (ROOT / name / "__init__.py").exists()}
    assert {"contralock", "jobs", "notifications", "payments"} <= ours
    wanted = ["pyproject.toml", "uv.lock", "manage.py", "contralock/settings.py", "deploy/entrypoint.sh"]
    templates = [str(file.relative_to(ROOT)) for name in ours for file in (ROOT / name).rglob("templates/**/*.*")]
    for path in [*wanted, *templates, *(f"{name}/__init__.py" for name in ours)]:
        assert sent_to_the_builder(path), path


# ---------------------------------------------------------------- deploy/entrypoint.sh
STUB = """#!/bin/sh
printf '%s\\n' "pid $$" "concurrency ${WEB_CONCURRENCY:-}" "${0##*/}" "$@"
"""


@pytest.fixture
def stubs(tmp_path: Path) -> Path:
    for name in ("gunicorn", "celery", "python", "own-program"):
        stub = tmp_path / name
        stub.write_text(STUB)
        stub.chmod(0o755)
    return tmp_path


def start(stubs: Path, *words: str) -> subprocess.Popen[str]:
    """The entrypoint with stubs in place of the programs."""
    return subprocess.Popen(
        ["/bin/sh", str(ENTRYPOINT), *words],
        env={"PATH": f"{stubs}:/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_entrypoint_is_proper_shell() -> None:
    assert subprocess.run(["/bin/sh", "-n", str(ENTRYPOINT)], check=False).returncode == 0
    assert ENTRYPOINT.stat().st_mode & 0o111


CELERY = "celery -A contralock"


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (
            "web",
            "gunicorn contralock.wsgi --bind=0.0.0.0:8000 --worker-class=gthread --threads=8 --graceful-timeout=30"
            " --worker-tmp-dir=/dev/shm --no-control-socket",
        ),
        ("worker email", f"{CELERY} worker -Q email -n email@%h --without-gossip --without-mingle"),
        ("worker general -c 4", f"{CELERY} worker -Q general -n general@%h --without-gossip --without-mingle -c 4"),
        ("beat", f"{CELERY} beat --pidfile="),
        ("flower", f"{CELERY} flower --address=0.0.0.0 --port=5555"),
        ("flower --url_prefix=flower", f"{CELERY} flower --address=0.0.0.0 --port=5555 --url_prefix=flower"),
        ("migrate", "python manage.py migrate --no-input"),
        ("migrate --plan", "python manage.py migrate --no-input --plan"),
        ("python manage.py jobs stats", "python manage.py jobs stats"),
        ("own-program --flag", "own-program --flag"),
    ],
)
def test_each_word_becomes_its_program(stubs: Path, words: str, command: str) -> None:
    process = start(stubs, *words.split())
    out, err = process.communicate(timeout=10)
    pid, concurrency, *argv = out.splitlines()
    assert argv == command.split(), err
    assert pid == f"pid {process.pid}"  # in the shell's place, not below it
    assert concurrency == ("concurrency 2" if words == "web" else "concurrency ")


@pytest.mark.parametrize("words", [[], ["wrok"], ["worker"], ["worker", "--loglevel=INFO"]])
def test_a_word_that_means_nothing_is_answered_with_what_there_is(stubs: Path, words: list[str]) -> None:
    process = start(stubs, *words)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 64
    assert not out
    for word in ("web", "worker QUEUE", "beat", "flower", "migrate"):
        assert word in err


def test_every_command_in_compose_is_a_word_of_the_entrypoint(stubs: Path) -> None:
    for name, service in APP.items():
        process = start(stubs, *service["command"])
        process.communicate(timeout=10)
        assert process.returncode == 0, name


@pytest.mark.parametrize(("linter", "file"), [("hadolint", "Dockerfile"), ("shellcheck", "deploy/entrypoint.sh")])
def test_the_linter_has_nothing_to_say(linter: str, file: str) -> None:
    program = shutil.which(linter, path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if program is None:
        pytest.skip(f"there is no {linter} on this machine")
    done = subprocess.run([program, file], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


# ---------------------------------------------------------------- contralock/probe.py
def seen(**changes: Any) -> Worker:
    """A worker's row as jobs/worker/presence.py writes it."""
    given = {"host": socket.gethostname(), "pid": 1, "queues": ["email"], "kinds": [], "concurrency": 3, "version": "1"}
    return Worker.objects.create(id="0198c0de-0000-7000-8000-000000000001", name="email@host", **given | changes)


@pytest.mark.usefixtures("db")
def test_a_worker_is_well_when_its_row_was_touched_within_a_lease() -> None:
    assert probe.main(["worker"]) == "no worker of this host was seen in the last 2 s"
    seen()
    assert probe.main(["worker"]) == 0


@pytest.mark.usefixtures("db")
def test_a_worker_that_is_leaving_is_well_until_it_is_gone() -> None:
    row = seen(stopping=True)
    assert probe.main(["worker"]) == 0
    Worker.objects.filter(pk=row.pk).update(stopped_at=Now())
    assert probe.main(["worker"]) != 0


@pytest.mark.usefixtures("db")
def test_a_silent_worker_and_another_hosts_worker_are_no_worker() -> None:
    row = seen(host="elsewhere")
    assert probe.main(["worker"]) != 0
    Worker.objects.filter(pk=row.pk).update(host=socket.gethostname(), seen_at=Now() - timedelta(seconds=5))
    assert probe.main(["worker"]) != 0


@pytest.mark.usefixtures("db")
def test_the_keeper_is_well_while_somebody_ticks() -> None:
    Keeper.objects.all().delete()
    assert probe.main(["keeper"]) == "no keeper finished a tick in the last 2 s"
    now = timezone.now()
    Keeper.objects.create(ticked_at=now, reap_after=now, epoch_at=now)
    assert probe.main(["keeper"]) == 0
    Keeper.objects.update(ticked_at=Now() - timedelta(seconds=5))
    assert probe.main(["keeper"]) != 0


class Site(BaseHTTPRequestHandler):
    """Answers with `status` and remembers what it was asked."""

    status = 200
    asked: dict[str, str]

    def do_GET(self) -> None:
        Site.asked = {"path": self.path, **self.headers}
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Silent."""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Site]]:
    with HTTPServer(("127.0.0.1", 0), Site) as server:
        monkeypatch.setattr(probe, "WEB_PORT", server.server_port)
        monkeypatch.setattr(probe, "FLOWER_PORT", server.server_port)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield Site
        server.shutdown()


@pytest.mark.parametrize(
    ("hosts", "asked_for"),
    [(["app.example.com", "x"], "app.example.com"), ([".example.com"], "example.com"), (["*"], "localhost")],
)
def test_the_site_is_asked_as_its_proxy_would_ask(
    site: type[Site], settings: Any, hosts: list[str], asked_for: str
) -> None:
    settings.ALLOWED_HOSTS = hosts
    assert probe.main(["web"]) == 0
    assert site.asked["path"] == probe.PAGE
    assert site.asked["Host"] == asked_for
    assert site.asked["X-Forwarded-Proto"] == "https"


@pytest.mark.parametrize(("status", "well"), [(200, True), (301, True), (400, False), (500, False)])
def test_a_redirect_is_an_answer_and_an_error_is_none(
    site: type[Site], monkeypatch: pytest.MonkeyPatch, status: int, well: bool
) -> None:
    monkeypatch.setattr(site, "status", status)
    assert (probe.main(["web"]) == 0) is well
    assert (probe.main(["flower"]) == 0) is well
    assert site.asked["path"] == "/healthcheck"


@pytest.mark.usefixtures("db")
def test_the_page_that_the_probe_asks_for_is_one(client: Any) -> None:
    assert client.get(probe.PAGE).status_code == 200


def test_a_closed_port_is_reported_and_not_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers there
        monkeypatch.setattr(probe, "WEB_PORT", taken.getsockname()[1])
        assert "refused" in str(probe.main(["web"]))


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["web", "worker"]])
def test_the_probe_says_what_it_can_ask(arguments: list[str]) -> None:
    assert probe.main(arguments) == "usage: python -m contralock.probe web|worker|keeper|flower"
