# Every target works on a fresh checkout: `.ci/bootstrap` makes .venv first, and is quick when it is there.
.DEFAULT_GOAL := help
.PHONY: help run demo test soak bench bench-money bench-mail bench-invoices lint clean
BIN := .venv/bin
ARGS ?=
export PYTHON

help: ## Print this
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do printf '%-18s %s\n' "$$name" "$$what"; done
	@echo 'Options go into ARGS: make run ARGS=--fresh, make test ARGS="-k mail -x". PYTHON=/path/to/python chooses the interpreter.'

run: bootstrap ## Start everything on this machine (PostgreSQL, Valkey, site, workers, mail catcher); Ctrl-C stops it
	@exec $(BIN)/python -m contralock.local run $(ARGS)

demo: bootstrap ## While `make run` is up: register a demo person and follow the mail
	@exec $(BIN)/python -m contralock.local demo $(ARGS)

test: bootstrap ## Run the tests, with real servers
	@$(BIN)/python -m pytest $(ARGS)

soak: bootstrap ## Move money while everything fails; ESCROWS=100 milestones (20)
	@SOAK_ESCROWS=$(or $(ESCROWS),20) $(BIN)/python -m pytest -n 0 tests/chaos/test_money.py $(ARGS)

bench: bootstrap ## Compare with Celery, dramatiq and BullMQ on the same servers; ARGS=--quick is short
	@uv=$$(command -v uv || echo .local/uv/bin/uv); $$uv export -q --frozen --no-hashes --only-group bench | $$uv pip install -q --python $(BIN)/python --target .local/bench/py --no-deps -r -
	@exec $(BIN)/python -m tests.benchmarks $(ARGS)

bench-money: bootstrap ## Releases per second against the local Stripe, at once and 200 ms away
	@exec $(BIN)/python -m tests.benchmarks.money $(ARGS)

bench-mail: bootstrap ## Mails per second over SMTP with STARTTLS and a login, against a connection per mail
	@exec $(BIN)/python -m tests.benchmarks.mail $(ARGS)

bench-invoices: bootstrap ## PDFs per second of one core, against WeasyPrint as its documentation shows it
	@exec $(BIN)/python -m tests.benchmarks.invoices $(ARGS)

lint: bootstrap ## Check style, types and who may import whom
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@DEBUG=true IGNORE_ENV_FILES=true $(BIN)/mypy
	@$(BIN)/lint-imports

clean: ## Remove .venv, caches and the data of `make run`
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m contralock.local clean; fi
	@rm -rf .venv .local .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache staticfiles
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: bootstrap
bootstrap:
	@sh .ci/bootstrap
