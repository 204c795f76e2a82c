# Two commands matter: `make sync` (set up, run a night on the sandbox, say what it did) and `make test`.
# SEED= VARIANTS= PERSONS= SHOPS= size a new world: make sync SEED=11 VARIANTS=500. One that exists keeps its own sizes;
# asked for others, the command stops and says so (make clean forgets the world).

SHELL := /bin/bash
# The first interpreter of a version that the lock file is for.
PYTHON ?= $(shell for p in python3.11 python3.12 python3; do \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
export SEED VARIANTS PERSONS SHOPS

.DEFAULT_GOAL := help
.PHONY: help sync test nights real ui day judge bench lint lock clean setup

help:
	@echo "make sync    set up, then run a night on the sandbox and show what it found, changed and proved"
	@echo "make test    set up, then run all tests"
	@echo "make nights  many days and nights on worlds of many seeds, each held against its truth (SEEDS=1..10)"
	@echo "make real    a night against an Odoo and a Vendure that it installs and starts (Debian, PyPI and npm packages)"
	@echo "make day     let the sandbox's world live one more day"
	@echo "make judge   compare the last night with the world's truth"
	@echo "make ui      sandbox and Dagster on 127.0.0.1, until Ctrl-C"
	@echo "make bench   the benchmarks   make lint   linters and types   make lock   renew the lock file"
	@echo "make clean   forget the sandbox's world, the warehouse and Dagster's history"

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || \
	  { echo "trueup needs Python 3.11 or 3.12; name one with PYTHON=/path/to/python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	@echo "installing the locked dependencies (once, some minutes)"
	@$(PIP) --require-hashes --no-deps -r <(awk '/^[^ ]/ {on = /^uv==/} on' requirements.lock)
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes --no-deps -r requirements.lock 2>/dev/null || \
	  $(PIP) --require-hashes --no-deps -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

sync: setup
	@$(BIN)/trueup sync

day: setup
	@$(BIN)/trueup day

judge: setup
	@$(BIN)/trueup judge

ui: setup
	@$(BIN)/trueup ui

test: setup
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

nights: setup
	@$(BIN)/python -m tests.nights.rounds --seeds $(or $(SEEDS),1..10) --days 6 --variants 90 --persons 240 --shops 2

real: setup
	@$(BIN)/python -m deploy.real

lint: setup
	$(BIN)/ruff check .
	$(BIN)/mypy -p pipelines -p resources -p conformance
	$(BIN)/lint-imports

bench: setup
	@for name in extract push drift night scale; do echo "== $$name"; $(BIN)/python -m benchmarks.$$name || exit 1; done

lock: setup
	$(BIN)/uv pip compile requirements.in -c caps.txt --universal --python-version 3.11 --no-header --no-annotate --generate-hashes \
	  --no-emit-index-url -o requirements.lock

clean:
	rm -rf .trueup

.PHONY: docs
docs: setup
	@$(BIN)/python -m cli.reference
