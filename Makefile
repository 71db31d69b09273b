# Sightline's verbs. `make` alone lists them. Everything lives in .venv, and in node_modules what checks the page and a peer of
# tests; nothing is installed outside them but by `make test`, `lint` and `format`, which as root on Debian and Ubuntu install
# the system tools that they need.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=
SOAK_ARGS ?=
# Those that wait go first, several at a time, then the fast ones on two cores, then the slow ones that need no quiet machine,
# a file on each core, and each of the others has the machine for itself: tests/selection.py. A figure stands at the end of a
# whole run; of chosen tests it would say nothing.
PYTEST := $(BIN)/python -m pytest
ALL_TESTS = failed=0; $(PYTEST) --waiting=only -n 4 --dist=worksteal --cov --cov-report= || failed=$$?; \
	$(PYTEST) --waiting=not --fast -n 2 --dist=worksteal --cov --cov-append --cov-report= || failed=$$?; \
	$(PYTEST) --waiting=not --slow --steady=only -n 2 --dist=loadfile --cov --cov-append --cov-report= || failed=$$?; \
	$(PYTEST) --waiting=not --slow --steady=not --cov --cov-append --cov-report= && exit $$failed
NODE := node_modules
PAGE := web package.json tsconfig.json
# Without Node.js there is no stamp, and the script has said what is left out.
if_node := [[ ! -e $(NODE)/.installed ]] ||

.PHONY: help install demo test test-fast soak faults lint format bench clean

help:  ## list the verbs
	@echo "Sightline: live video in, detections drawn on it, in a browser."
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

install: $(VENV)/.installed  ## create .venv and install Sightline into it (PYTHON=python3.12 chooses the Python)
	@:

demo: install  ## a demo camera, the model server and the service: http://127.0.0.1:8000, until Ctrl-C
	@exec $(BIN)/sightline demo

test: $(VENV)/.installed-dev $(NODE)/.installed  ## run every test (PYTEST_ARGS="tests/config/test_config.py -k url" chooses)
	@scripts/install_test_tools.sh
	@$(if $(PYTEST_ARGS),exec $(PYTEST) $(PYTEST_ARGS),$(ALL_TESTS))

test-fast: $(VENV)/.installed-dev  ## the tests that need no browser, no TensorFlow and no real camera, in two minutes
	@exec $(PYTEST) --fast -n 3 --dist=worksteal -q $(PYTEST_ARGS)

soak: $(VENV)/.installed-dev  ## ten minutes of coming and going, and what is not given back; then a planted leak must be found
	@scripts/install_test_tools.sh
	@$(BIN)/python -m tests.soak $(SOAK_ARGS)
	@$(BIN)/python -m tests.soak --leak --seconds 90 --settled 20

faults: $(VENV)/.installed-dev  ## three replicas on machines of their own, killed, frozen, cut off fifty times; as root (FAULTS_ARGS="--runs 5")
	@scripts/install_test_tools.sh
	@$(BIN)/python -m tests.faults $(FAULTS_ARGS)

lint: $(VENV)/.installed-dev $(NODE)/.installed  ## ruff, mypy, import-linter and deptry, for the page tsc and prettier; changes nothing
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/deptry .
	@$(if_node) $(NODE)/.bin/tsc
	@$(if_node) $(NODE)/.bin/prettier --check --log-level warn $(PAGE)

format: $(VENV)/.installed-dev $(NODE)/.installed  ## sort imports, fix what ruff can, format
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format
	@$(if_node) $(NODE)/.bin/prettier --write --log-level warn $(PAGE)

bench: install  ## measure this machine: sightline bench
	@exec $(BIN)/sightline bench

clean:  ## remove .venv, node_modules, caches and what the demo exported
	rm -rf $(VENV) $(NODE) .sightline .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .coverage build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps remember what was installed, so that a second call has nothing to do. The dev lock holds everything the other
# holds, at the same versions.
$(VENV)/.installed: requirements.lock pyproject.toml scripts/install.sh
	@scripts/install.sh $(VENV) requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock pyproject.toml scripts/install.sh
	@scripts/install.sh $(VENV) requirements-dev.lock
	@touch $(VENV)/.installed $@

$(NODE)/.installed: package.json package-lock.json .npmrc scripts/install_page_tools.sh
	@scripts/install_page_tools.sh $@
