# Sightline's verbs. `make` alone lists them. Everything lives in .venv; nothing is installed outside it but by `make test`,
# which as root on Debian and Ubuntu installs the system tools that some tests need.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=

.PHONY: help install demo test lint format bench clean

help:  ## list the verbs
	@echo "Sightline: live video in, detections drawn on it, in a browser."
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

install: $(VENV)/.installed  ## create .venv and install Sightline into it (PYTHON=python3.12 chooses the Python)
	@:

demo: install  ## a demo camera, the model server and the service: http://127.0.0.1:8000, until Ctrl-C
	@exec $(BIN)/sightline demo

test: $(VENV)/.installed-dev  ## run every test (PYTEST_ARGS="tests/config/test_config.py -k url" chooses)
	@scripts/install_test_tools.sh
	@exec $(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev  ## ruff, mypy, import-linter and deptry; changes nothing
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/deptry .

format: $(VENV)/.installed-dev  ## sort imports, fix what ruff can, format
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

bench: install  ## measure this machine: sightline bench
	@exec $(BIN)/sightline bench

clean:  ## remove .venv, caches and what the demo exported
	rm -rf $(VENV) .sightline .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps remember what was installed, so that a second call has nothing to do. The dev lock holds everything the other
# holds, at the same versions.
$(VENV)/.installed: requirements.lock pyproject.toml scripts/install.sh
	@scripts/install.sh $(VENV) requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock pyproject.toml scripts/install.sh
	@scripts/install.sh $(VENV) requirements-dev.lock
	@touch $(VENV)/.installed $@
