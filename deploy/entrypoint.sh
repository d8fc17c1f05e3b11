#!/bin/sh
# What a container of ContraLock runs. Each word ends in exec, so that signals reach the program itself.
set -eu

usage() {
    cat >&2 <<'TEXT'
usage: web | worker QUEUE | beat | flower | migrate   (further arguments go to the program)
   or: PROGRAM ARGUMENTS…                             such as: python manage.py jobs stats

  web      the site, on port 8000
  worker   one queue's worker
  beat     schedules and keeper; run two
  flower   Celery's own dashboard, on port 5555; FLOWER_BASIC_AUTH=user:password protects it
  migrate  brings the database up to date and ends
TEXT
    exit 64
}

[ $# -gt 0 ] || usage
word=$1
shift

case $word in
web)
    # WEB_CONCURRENCY is gunicorn's own variable for the number of processes. Its heartbeat files lie in memory: on a
    # slow disk a write to them could stop a worker. The control socket would need a writable home.
    export WEB_CONCURRENCY="${WEB_CONCURRENCY:-2}"
    exec gunicorn contralock.wsgi --bind=0.0.0.0:8000 --worker-class=gthread --threads=8 --graceful-timeout=30 \
        --worker-tmp-dir=/dev/shm --no-control-socket "$@"
    ;;
worker)
    case ${1:-} in
    '' | -*)
        echo "worker: of which queue?" >&2
        usage
        ;;
    esac
    queue=$1
    shift
    exec celery -A contralock worker -Q "$queue" -n "$queue@%h" --without-gossip --without-mingle "$@"
    ;;
beat)
    exec celery -A contralock beat --pidfile= "$@"
    ;;
flower)
    exec celery -A contralock flower --address=0.0.0.0 --port=5555 "$@"
    ;;
migrate)
    exec python manage.py migrate --no-input "$@"
    ;;
*)
    if ! command -v "$word" >/dev/null; then
        echo "$word: neither one of ours nor a program." >&2
        usage
    fi
    exec "$word" "$@"
    ;;
esac
