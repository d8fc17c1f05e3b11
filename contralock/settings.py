"""All settings, read top to bottom. Every value comes from the environment; its default stands beside it.

Names of the seed are kept where they still mean something (README, settings table).
"""

import os
import ssl
from datetime import timedelta

from django.utils.csp import CSP
from kombu.entity import Exchange, Queue

from contralock.env import BASE_DIR, load, redis_url, secret_key

env, DEBUG = load()

# ---------------------------------------------------------------- site
SECRET_KEY = secret_key(env, debug=DEBUG)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SITE_NAME = env.str("SITE_NAME", default="ContraLock")
VERSION = env.str("VERSION", default="dev")  # of this build; shown with workers
ENVIRONMENT = env.str("ENVIRONMENT", default="development" if DEBUG else "production")  # the admin's header names it
SITE_URL = env.str("SITE_URL", default="http://localhost:8000")  # links in mails begin with it
ROOT_URLCONF = "contralock.urls"
WSGI_APPLICATION = "contralock.wsgi.application"
ASGI_APPLICATION = "contralock.asgi.application"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "contralock" / "static"]
AUTH_USER_MODEL = "accounts.User"

INSTALLED_APPS = [
    "contralock.accounts",
    "contralock.upkeep",
    "payments",
    "invoices",
    "notifications",
    "jobs",
    "django_celery_beat",
    "rest_framework",
    "knox",
    "axes",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django.contrib.postgres",
    "contralock.site.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "contralock.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",  # last: it answers for a login form that was locked out
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "contralock" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
MEDIA_ROOT = env.str("MEDIA_ROOT", default=str(BASE_DIR / (".local/media" if DEBUG else "media")))  # invoices' PDFs
MEDIA_S3_BUCKET = env.str("MEDIA_S3_BUCKET", default="")  # instead of files; needs the extra `s3`, AWS_… as boto3 does
STORAGES = {
    "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {"bucket_name": MEDIA_S3_BUCKET}}
    if MEDIA_S3_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # A manifest needs `collectstatic`, which a development machine does not run.
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG

# ---------------------------------------------------------------- security (production is strict by default)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: a locked account costs no password hash
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_RESET_TIMEOUT = env.int("PASSWORD_RESET_TIMEOUT", default=3600)  # seconds that the link in the mail works
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=not DEBUG)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_TLS_PROXY", default=False) else None
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=0 if DEBUG else 31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_HSTS_SECONDS > 0
SECURE_CSP = {  # no script and no style but from our own files (exceptions: contralock/csp.py)
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],  # the API's documentation draws its signs so
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("COOKIES_SECURE", default=not DEBUG)

# ---------------------------------------------------------------- guessing of passwords (accounts/lockout.py)
AXES_HANDLER = "contralock.accounts.lockout.Handler"
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURE_LIMIT", default=5)  # from one address; from all together ten times that
AXES_COOLOFF_TIME = timedelta(minutes=env.float("LOGIN_COOLOFF_MINUTES", default=15.0))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], ["username"]]
AXES_USERNAME_CALLABLE = "contralock.accounts.lockout.account"  # ADA@x.de and ada@x.de are one account
AXES_CLIENT_IP_CALLABLE = "contralock.accounts.lockout.client_ip"  # believes REST_FRAMEWORK's NUM_PROXIES
AXES_LOCKOUT_CALLABLE = "contralock.accounts.lockout.refuse"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # else whoever keeps knocking keeps the owner out for ever
AXES_DISABLE_ACCESS_LOG = True  # a row per login for ever; User.last_login is enough
AXES_VERBOSE = False  # its greeting at every start of a process

# ---------------------------------------------------------------- PostgreSQL
DATABASES = {"default": env.db("DATABASE_URL", default="postgres://contralock:contralock@localhost:5432/contralock")}
DATABASES["default"].update(
    # Web and command line probe a kept connection before use; workers do not need to, since claim
    # and finish may be repeated on a fresh connection (jobs/database.py).
    CONN_MAX_AGE=env.int("DATABASE_CONN_MAX_AGE", default=60),  # seconds
    CONN_HEALTH_CHECKS=True,
)
DATABASES["default"].setdefault("OPTIONS", {}).update(
    connect_timeout=env.int("DATABASE_CONNECT_TIMEOUT", default=5),  # seconds
    tcp_user_timeout=env.int("DATABASE_TCP_USER_TIMEOUT", default=10_000),  # ms; a dead link is noticed
    # A lock, a forgotten transaction or a runaway query must never hold the queue for ever (all in ms).
    options=" ".join(
        f"-c {name}={value}"
        for name, value in {
            "statement_timeout": env.int("DATABASE_STATEMENT_TIMEOUT", default=60_000),
            "lock_timeout": env.int("DATABASE_LOCK_TIMEOUT", default=15_000),
            "idle_in_transaction_session_timeout": env.int("DATABASE_IDLE_TRANSACTION_TIMEOUT", default=60_000),
            "client_connection_check_interval": 2_000,  # a killed process's long query ends, and its locks with it
        }.items()
    ),
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Throttles live in PostgreSQL: registration works while Redis is away, and a wiped Redis resets no limit.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "django_cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},  # of the default's 300, a third goes as soon as 300 people have come by
    }
}

# ---------------------------------------------------------------- Redis / Valkey (the broker)
REDIS_URL = redis_url(env)
REDIS_TLS_VERIFY = env.bool("REDIS_TLS_VERIFY", default=True)  # false: any certificate is taken; never in production
REDIS_TLS_CA = env.str("REDIS_TLS_CA", default="")  # path of a CA bundle; empty: the system's
REDIS_SOCKET_TIMEOUT = env.float("REDIS_SOCKET_TIMEOUT", default=1.0)  # seconds; workers and the keeper use 5

# ---------------------------------------------------------------- queues and jobs
QUEUE_DEFAULT_CONCURRENCY = env.int("QUEUE_DEFAULT_CONCURRENCY", default=2)
JOBS_QUEUES = {
    # name: processes of its worker, and messages a worker may hold per process. Money and paper hold none
    # beyond the running one, so that an urgent job is overtaken by nobody; short mails hold many.
    "email": {"concurrency": env.int("QUEUE_EMAIL_CONCURRENCY", default=3), "prefetch": 16},
    "payment": {"concurrency": env.int("QUEUE_PAYMENT_CONCURRENCY", default=2), "prefetch": 1},
    "invoice": {"concurrency": env.int("QUEUE_INVOICE_CONCURRENCY", default=QUEUE_DEFAULT_CONCURRENCY), "prefetch": 1},
    "general": {"concurrency": env.int("QUEUE_GENERAL_CONCURRENCY", default=1), "prefetch": 4},
}
JOBS_DEFAULT_QUEUE = "general"
JOBS_MAX_ATTEMPTS = env.int("QUEUE_RETRY_ATTEMPTS", default=3)  # failures until a job is failed
JOBS_BACKOFF = env.int("QUEUE_BACKOFF_DELAY", default=2000) / 1000  # seconds before the first retry; doubles
JOBS_BACKOFF_MAX = env.float("JOBS_BACKOFF_MAX", default=3600.0)  # seconds
JOBS_TIMEOUT = env.float("JOBS_TIMEOUT", default=900.0)  # seconds a run may take before it is stopped
JOBS_CRASH_LIMIT = env.int("JOBS_CRASH_LIMIT", default=3)  # lost leases until a job counts as poison
JOBS_LEASE = env.float("JOBS_LEASE", default=12.0)  # seconds; a dead worker's job runs again after this
JOBS_HEARTBEAT = env.float("JOBS_HEARTBEAT", default=3.0)  # seconds; at most a quarter of the lease
JOBS_TICK = env.float("JOBS_TICK", default=1.0)  # seconds between two looks of the keeper, at most
JOBS_WINDOW = env.int("JOBS_WINDOW", default=1000)  # doorbells a queue may have in Redis
JOBS_RERING = (3.0, 15.0, 300.0)  # seconds until a silent doorbell is rung again: empty queue, busy queue, cap
JOBS_ARGS_LIMIT = env.int("JOBS_ARGS_LIMIT", default=65_536)  # bytes of JSON
JOBS_RESULT_LIMIT = env.int("JOBS_RESULT_LIMIT", default=65_536)  # bytes of JSON
# Retention: a finished job leaves when it is neither among the newest N of its kind nor younger than D days.
JOBS_KEEP_COMPLETED = env.int("QUEUE_REMOVE_ON_COMPLETE", default=100)
JOBS_KEEP_FAILED = env.int("QUEUE_REMOVE_ON_FAIL", default=50)
JOBS_KEEP_COMPLETED_FOR = timedelta(days=env.float("JOBS_KEEP_COMPLETED_DAYS", default=7.0))
JOBS_KEEP_FAILED_FOR = timedelta(days=env.float("JOBS_KEEP_FAILED_DAYS", default=30.0))
ARCHIVE_SLICE = env.int("ARCHIVE_SLICE", default=2000)  # rows of one file of the archive
JOBS_SECRET_KEYS = env.list("JOBS_SECRET_KEYS", default=[])  # Fernet keys for sensitive arguments, newest first;
# none: one is derived from SECRET_KEY, and then jobs that wait when SECRET_KEY changes cannot be read any more
JOBS_PREPARE = env.bool("JOBS_PREPARE", default=True)  # false behind a pooler that cannot prepare statements
JOBS_DRILL = env.bool("JOBS_DRILL", default=False)  # registers jobs.drill, which crashes on demand

# ---------------------------------------------------------------- Celery (each with its reason)
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # One Redis command per message instead of nine. A message that dies with its worker is rung again
    # by the relay, because the row still waits: only with rows behind it is this safe.
    "ack_emulation": False,
    "priority_steps": list(range(10)),  # the default's four buckets run a 4 after a 5
    "queue_order_strategy": "priority",
    "max_retries": 0,  # an enqueue never hangs in reconnects; the row waits for the relay
    "socket_timeout": REDIS_SOCKET_TIMEOUT,
    "socket_connect_timeout": REDIS_SOCKET_TIMEOUT,
    "socket_keepalive": True,
    "health_check_interval": 5,  # seconds; with the default a worker stays deaf after a half-open link
}
if REDIS_URL.startswith("rediss://"):
    CELERY_BROKER_USE_SSL = {
        "ssl_cert_reqs": ssl.CERT_REQUIRED if REDIS_TLS_VERIFY else ssl.CERT_NONE,
        "ssl_check_hostname": REDIS_TLS_VERIFY,
        "ssl_ca_certs": REDIS_TLS_CA or ssl.get_default_verify_paths().cafile,
    }
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for Redis as long as it takes
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
CELERY_BROKER_POOL_LIMIT = 10
CELERY_TASK_ACKS_LATE = False  # the row's lease decides who runs again, not Redis
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None  # outcomes are in the row
CELERY_RESULT_EXPIRES = None  # otherwise beat adds celery.backend_cleanup
CELERY_TASK_PUBLISH_RETRY = False
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_TRACK_STARTED = False
CELERY_TASK_SOFT_TIME_LIMIT = None  # the deadline is the engine's (jobs/heartbeat.py)
CELERY_TASK_DEFAULT_QUEUE = JOBS_DEFAULT_QUEUE
CELERY_TASK_DEFAULT_EXCHANGE = ""
CELERY_TASK_CREATE_MISSING_QUEUES = False  # -Q emial is refused, not created
# Objects, not a dict of names: Flower's page of the broker reads their names.
CELERY_TASK_QUEUES = [Queue(name, Exchange(""), routing_key=name) for name in JOBS_QUEUES]  # type: ignore[no-untyped-call]
# Per queue: jobs/worker/configure.py. A number here would reach it as if the command line had asked for it.
CELERY_WORKER_PREFETCH_MULTIPLIER = None
CELERY_WORKER_SEND_TASK_EVENTS = True  # Flower; the events are flushed every 0.25 s (jobs/worker/steps.py)
CELERY_TASK_SEND_SENT_EVENT = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False  # a lost broker stops no running job
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_DB_REUSE_MAX = 1_000_000_000  # without it Celery reconnects to PostgreSQL around every task
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_BEAT_SCHEDULER = "jobs.beat:KeeperScheduler"
DJANGO_CELERY_BEAT_TZ_AWARE = True

# ---------------------------------------------------------------- mail
# A mail service instead of SMTP: anymail.backends.postmark.EmailBackend, with ANYMAIL_POSTMARK_SERVER_TOKEN and, for
# its webhooks (/anymail/postmark/tracking/), ANYMAIL_WEBHOOK_SECRET. Needs the extra "esp".
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.smtp.EmailBackend")
EMAIL_HOST = env.str("SMTP_HOST", default="localhost")
EMAIL_PORT = env.int("SMTP_PORT", default=587)
EMAIL_USE_SSL = env.bool("SMTP_SECURE", default=False)  # TLS from the first byte (port 465)
EMAIL_USE_TLS = env.bool("SMTP_STARTTLS", default=not (EMAIL_USE_SSL or DEBUG))
EMAIL_HOST_USER = env.str("SMTP_USER", default="")
EMAIL_HOST_PASSWORD = env.str("SMTP_PASS", default="")
EMAIL_TIMEOUT = env.float("SMTP_TIMEOUT", default=15.0)  # seconds
ANYMAIL = {
    name.removeprefix("ANYMAIL_"): {"true": True, "false": False}.get(value.lower(), value)
    for name, value in os.environ.items()
    if name.startswith("ANYMAIL_")
} | {"REQUESTS_TIMEOUT": EMAIL_TIMEOUT}
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("EMAIL_FROM", default="ContraLock <noreply@contralock.example>")
SUPPORT_EMAIL = env.str("SUPPORT_EMAIL", default="support@contralock.example")  # whom a mail says to write to
MAIL_RESEND_AFTER = env.float("MAIL_RESEND_AFTER", default=600.0)  # seconds after a mail whose fate is unknown
MAIL_PER_RECIPIENT = env.int("MAIL_PER_RECIPIENT", default=20)  # an hour, of the mails that can wait; 0: no limit

# ---------------------------------------------------------------- payments
PLATFORM_FEE_BPS = env.int("PLATFORM_FEE_BPS", default=500)  # of a release, in hundredths of a percent: 500 is 5 %
PAYMENTS_CURRENCIES = env.list("PAYMENTS_CURRENCIES", default=["usd", "eur", "gbp", "jpy"])  # of new projects

# Stripe, or the local one (payments/sandbox), which `make run` and the tests start: the same code talks to both.
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="")  # empty: Stripe itself
STRIPE_API_VERSION = "2026-10-28.endive"  # pinned: answers and events keep their shape
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="sk_test_local" if DEBUG else "")
# Two of a kind while one is rolled.
STRIPE_WEBHOOK_SECRETS = env.list("STRIPE_WEBHOOK_SECRET", default=["whsec_local"] if DEBUG else [])
STRIPE_CONNECT_WEBHOOK_SECRETS = env.list(
    "STRIPE_CONNECT_WEBHOOK_SECRET", default=["whsec_local_connect"] if DEBUG else []
)
STRIPE_TIMEOUT = env.float("STRIPE_TIMEOUT", default=25.0)  # seconds for an answer; then the outcome is unknown
STRIPE_RATE = env.float("STRIPE_RATE", default=20.0)  # calls a second per endpoint, of all workers; Stripe takes 25
STRIPE_KEY_LIFETIME = timedelta(hours=23)  # an older key is never sent again: Stripe forgets keys after 24

# ---------------------------------------------------------------- invoices
INVOICE_PLATFORM = {  # who issues the invoices for the platform's fee; a development machine has an example
    "name": env.str("PLATFORM_NAME", default=SITE_NAME),
    "address_line1": env.str("PLATFORM_ADDRESS", default="Musterstraße 1" if DEBUG else ""),
    "postal_code": env.str("PLATFORM_POSTAL_CODE", default="10115" if DEBUG else ""),
    "city": env.str("PLATFORM_CITY", default="Berlin" if DEBUG else ""),
    "country": env.str("PLATFORM_COUNTRY", default="DE" if DEBUG else ""),  # ISO 3166-1 alpha-2
    "tax_id": env.str("PLATFORM_TAX_ID", default=""),
    "vat_id": env.str("PLATFORM_VAT_ID", default=""),  # with it, VAT is charged by the rule of invoices/tax.py
    "email": SUPPORT_EMAIL,
}
INVOICE_VAT_RATES = env.dict("INVOICE_VAT_RATES", default={})  # percent by country, as DE=16; others: invoices/tax.py

# ---------------------------------------------------------------- REST
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "contralock.accounts.authentication.ApiTokenAuthentication",  # first: its challenge makes "who are you?" a 401
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["contralock.parsers.StrictJSONParser"],
    "EXCEPTION_HANDLER": "contralock.problems.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "contralock.schema.ProblemSchema",
    "DEFAULT_THROTTLE_RATES": {  # per person, or per address of who is nobody yet
        scope: env.str(f"THROTTLE_{scope.upper()}", default=rate)
        for scope, rate in {
            "register": "20/hour",
            "login": "60/hour",  # an office shares one address; guessing is stopped by the lock-out
            "reset": "10/hour",  # a mail each
            "link": "60/hour",  # confirming what a mail's link says
            "password": "10/hour",  # asks for the password of who is logged in
            "email": "5/hour",  # a mail each
            "tokens": "30/hour",
            "money": "120/minute",  # requests that change something; looking is not counted
            "onboarding": "30/hour",  # two calls to Stripe each
            "operators": "600/minute",
            "schema": "120/hour",
        }.items()
    },
    "NUM_PROXIES": env.int("NUM_PROXIES", default=0),  # proxies whose X-Forwarded-For is believed
}

KNOX_TOKEN_MODEL = "accounts.ApiToken"  # noqa: S105 - a name
REST_KNOX = {"TOKEN_PREFIX": "clk_", "AUTO_REFRESH": False}  # the prefix lets secret scanners find a lost one
MIGRATION_MODULES = {"knox": None}  # its only table would be that of the model which ours replaces
SPECTACULAR_SETTINGS = {
    "TITLE": "ContraLock",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",  # from our own static files: no CDN
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "Role": "contralock.accounts.choices.Role",
        "RegistrableRole": "contralock.accounts.serializers.REGISTRABLE",
        "Language": "contralock.accounts.choices.Language",
        "MilestoneStatus": "payments.states.MilestoneStatus",
        "OperationStatus": "payments.states.Status",
        "OperationKind": "payments.states.Kind",
        "DisputeStatus": "payments.states.DisputeStatus",
        "Resolution": "payments.states.Resolution",
        "PayoutStatus": "payments.models.account.PayoutStatus",
        "JobState": "jobs.states.State",
        "InvoiceKind": "invoices.states.Kind",
        "InvoiceState": "invoices.states.State",
        "VatCategory": "invoices.states.Category",
    },
}

# ---------------------------------------------------------------- logs (one line each, on stderr)
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # The engine says one line per run (jobs/events.py); Celery's three would say less.
    "loggers": {name: {"level": "WARNING"} for name in ("celery.app.trace", "celery.worker.strategy")}
    | {
        "axes": {"level": "WARNING"},  # at INFO two lines per login, also of who succeeds
        "stripe": {"level": "WARNING"},  # two lines per call
        "weasyprint": {"level": "WARNING"},  # eight lines per page; so does fontTools, for each font
        "fontTools": {"level": "WARNING"},
        "factur-x": {"level": "WARNING"},
    },
}
