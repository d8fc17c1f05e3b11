# One image for every process of ContraLock; its first argument says which (deploy/entrypoint.sh).
#
#   docker build --build-arg VERSION=1.2.3 -t contralock:1.2.3 .

FROM python:3.13-slim-bookworm AS build

# uv makes the same .venv that a developer has. It stays in this stage.
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore uv==0.13.9
ENV UV_PROJECT_ENVIRONMENT=/app/.venv \
    UV_PYTHON=/usr/local/bin/python \
    UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy
WORKDIR /src

# Dependencies before the source: a changed line of code installs nothing anew. --no-build: wheels only, since there is
# no compiler here either.
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-dev --no-group local --no-build --compile-bytecode

COPY . .
# The key is needed to read the settings, signs nothing and is gone with this command. Bytecode is made here because
# whoever runs the image cannot write; it is not compared with file times, which a registry may change. The last
# command makes files readable that were checked out under a strict umask.
RUN SECRET_KEY=only-while-collecting-static-files DEBUG=false /app/.venv/bin/python manage.py collectstatic --no-input \
    && /app/.venv/bin/python -m compileall -q -f --invalidation-mode unchecked-hash . \
    && chmod -R a+rX .


FROM python:3.13-slim-bookworm

# tini is PID 1: it hands SIGTERM to Celery or gunicorn and buries orphans, with docker, compose and Kubernetes alike.
# Pango and HarfBuzz draw the invoices (WeasyPrint loads them when it is imported), with fonts of ours (invoices/fonts).
# Versions are Debian bookworm's, with its security updates of the day.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        fonts-dejavu-core libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 tini \
    && rm -rf /var/lib/apt/lists/*

# A fixed number, so that volumes and Kubernetes' runAsUser can name it. It owns nothing in /app, and where PDFs lie.
RUN groupadd --gid 10001 contralock \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin contralock \
    && install -d -o 10001 -g 10001 /var/lib/contralock/media

# HOME: font caches and whatever a library keeps for itself; the one writable place of a read-only container.
# MEDIA_ROOT: the invoices' PDFs; web, email and invoice workers share a volume there, or name a bucket (MEDIA_S3_BUCKET).
# PYTHONWARNINGS: Celery advises against a setting that we have chosen, ten lines at each loss of the broker.
ENV PATH=/app/.venv/bin:$PATH \
    HOME=/tmp \
    MEDIA_ROOT=/var/lib/contralock/media \
    PYTHONUNBUFFERED=1 \
    PYTHONWARNINGS=ignore::PendingDeprecationWarning
WORKDIR /app
COPY --from=build /app/.venv /app/.venv
COPY --from=build /src /app

# Last, because it changes with every build.
ARG VERSION=dev
ENV VERSION=$VERSION
LABEL org.opencontainers.image.title="ContraLock" \
      org.opencontainers.image.description="Background jobs for a freelance-escrow platform" \
      org.opencontainers.image.version=$VERSION

USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# Without tini's -g: SIGTERM is for the main process, which lets its children finish their jobs.
ENTRYPOINT ["tini", "--", "sh", "/app/deploy/entrypoint.sh"]
CMD ["web"]
