# Two commands, always true: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.PHONY: help demo test test-faults check browser clean

help:            ## what can be made
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

demo: .venv/.demo ## environment, install, the main job on real data, service on 127.0.0.1:8000
	$(BIN)/clv demo

test: .venv/.test browser ## environment, install, all checks
	$(MAKE) check

check:           ## the checks alone, in the environment that is there
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 --dist loadgroup --cov --cov-report=term:skip-covered -q

test-faults: .venv/.test ## kill, flood and starve the service at full length; ONLY="kills flood" does parts
	$(BIN)/python -m tests.benchmarks.faults $(if $(ONLY),--only $(ONLY))

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

.venv/.demo: .venv/bin/python pyproject.toml constraints.txt
	$(PIP) install -c constraints.txt -e '.[demo]'
	touch $@

.venv/.test: .venv/bin/python pyproject.toml constraints.txt
	$(PIP) install -c constraints.txt -e '.[demo,test]'
	touch $@

browser:         ## a Chromium for the page tests, from the system's packages when we may install them
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	    { apt-get update -qq && apt-get install -y -qq chromium >/dev/null; }; } || \
	  echo "No Chromium here and no right to install one: the page tests will be skipped."

clean:           ## remove the environment and what the pipelines made
	rm -rf .venv var dist .mypy_cache .pytest_cache .ruff_cache
