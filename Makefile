PYTHON ?= python3
BIN    := .venv/bin
UV     := $(shell command -v uv 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test pooled check check-style check-types check-audit messages bench chaos bugs conformance assets lock browser clean

help:            ## list what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

demo: .venv/.demo assets            ## run everything on this machine, with made-up customers
	@$(BIN)/python -m dev.demo

demo-reset:      ## forget the demo's data
	@$(if $(wildcard $(BIN)/python),$(BIN)/python -m dev.demo --reset,rm -rf .local)

# Whatever a test starts finds the app compiled. Browser tests wait, so two cores have work for three of them; the
# others do not.
test: export PYTHONDONTWRITEBYTECODE :=
test: .venv/.dev assets browser     ## run all tests, on a Postgres and a Redis of their own
	$(BIN)/python -m pytest -q -n 2 --dist worksteal --ignore tests/browser
	$(BIN)/python -m pytest -q -n 3 --dist loadfile tests/browser

POOLED := tests/tenancy tests/webhooks tests/team tests/notifications tests/inbox/test_outbox.py tests/inbox/test_arrival.py \
  tests/inbox/test_senders.py tests/inbox/test_desk_search.py tests/inbox/test_desk_states.py tests/push tests/closing \
  tests/test_isolation.py

pooled: .venv/.dev assets           ## run a good part of the tests through PgBouncer (Debian: apt-get install pgbouncer)
	POOLED=1 $(BIN)/python -m pytest -q -n 2 $(POOLED)

check: .venv/.dev                   ## format, lint, types, imports, known vulnerabilities
	@$(MAKE) --no-print-directory -k -j 3 --output-sync=target check-style check-types check-audit

check-style:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python -m dev.circles

check-types:
	$(BIN)/mypy

check-audit:
	$(BIN)/python -m dev.audit

# messages.pot is made anew each time and not committed: every change of a line would change it, and it says nothing that
# the code does not. A language is begun with an empty file `app/translations/de/LC_MESSAGES/messages.po`.
messages: .venv/.dev                ## collect every string to translate, and bring the languages there are up to date
	$(BIN)/python -m dev.messages

bench: .venv/.dev assets            ## measure, as ratios within one run
	$(BIN)/python -m bench

chaos: .venv/.dev assets            ## break everything while messages come and go, then compare
	$(BIN)/python -m bench.chaos
	$(BIN)/python -m bench.chaos appointments

bugs: .venv/.dev assets             ## put deliberate bugs in; the tests must catch each
	$(BIN)/python -m bench.bugs

conformance: .venv/.dev assets      ## compare our calls and the simulator with Meta's OpenAPI file, and run other clients against it
	@$(BIN)/python -m conformance $(META_OPENAPI)

assets: static/dist/manifest.json   ## build the stylesheet, the script, the icons and the languages

static/dist/manifest.json: package-lock.json $(shell find assets app -name '*.html' -o -name '*.css' -o -name '*.js' -o -name '*.mjs' -o -name '*.py' -o -name '*.po' 2>/dev/null) | $(BIN)/python
	@test -f .venv/.dev -o -f .venv/.demo || $(MAKE) .venv/.demo
	$(BIN)/python -m dev.assets

# Browser tests need a Chromium; where there is none and we may install it, Debian has it.
browser:
	@command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || \
	  echo "No Chromium found: the browser tests will say so. Debian/Ubuntu: apt-get install chromium"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@$(if $(UV),$(UV) venv -q --seed --python $(PYTHON) .venv,$(PYTHON) -m venv .venv || { echo "Debian/Ubuntu: apt-get install python3-venv"; rm -rf .venv; exit 1; })

.venv/.%: requirements-%.lock | $(BIN)/python
	@echo "Installing what $* needs …"
	@$(if $(UV),$(UV) pip install -q --python $(BIN)/python --require-hashes -r $<,$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $<)
	@touch $@

lock:            ## refresh the lock files (needs uv and npm)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --group dev pyproject.toml -o requirements-dev.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header -c requirements-dev.lock --group demo pyproject.toml -o requirements-demo.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header -c requirements-dev.lock --group s3 --group voice pyproject.toml -o requirements.lock
	npm install --package-lock-only

clean:           ## remove everything that can be made again
	rm -rf .venv node_modules static/dist .local
