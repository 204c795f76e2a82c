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
.PHONY: help sync test laws pains guards nights simulate planted kill real ui day judge bench lint lock clean setup

help:
	@echo "make sync    set up, then run a night on the sandbox and show what it found, changed and proved"
	@echo "make test    set up, then run all tests"
	@echo "make laws    every law on 10,000 generated cases or more (LAW_CASES=), some minutes"
	@echo "make pains   break the rule behind each pain of other tools, one at a time, and see which test notices"
	@echo "make guards  break the guard against each failure mode of write-back, one at a time, and see which test notices"
	@echo "make nights  many days and nights on worlds of many seeds, each held against its truth (SEEDS=1..10)"
	@echo "make simulate SEEDS=100   seeded faults, crashes and second runs on virtual time, judged by the systems' own log"
	@echo "make planted take guards out of the pipeline, one at a time, and see whether the simulation notices (minutes)"
	@echo "make kill    kill, stop and starve real processes at work, judged by the systems' own log (KILLS=200; minutes)"
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

# Ended after 60 minutes: it is made to take about a quarter of an hour on two free cores.
laws: setup
	@LAW_CASES=$(or $(LAW_CASES),10000) timeout --kill-after=30 3600 \
	  $(BIN)/python -m pytest -q -m law -n 2 --dist worksteal --durations=5

pains: setup
	@$(BIN)/python -m tests.switches tests/pains/switches.toml

guards: setup
	@$(BIN)/python -m tests.switches tests/guards/switches.toml

nights: setup
	@$(BIN)/python -m tests.nights.rounds --seeds $(or $(SEEDS),1..10) --days 6 --variants 90 --persons 240 --shops 2

simulate: setup
	@$(BIN)/python -m tests.simulation $(or $(SEEDS),20)

# That the simulation sees what it is made for: a guard taken out is told, a seed is the same in any process; and nights
# over a network that is ill in many ways.
planted: setup
	@$(BIN)/python -m pytest -q -m long -n 2 --dist worksteal tests/simulation tests/faults

# Ended after 30 minutes: made for two free cores; KILLS=40 where they are busy (deaths at random instants, next to those
# at every step).
kill: setup
	@KILLS=$(or $(KILLS),200) timeout --kill-after=60 1800 \
	  $(BIN)/python -m pytest -q -m "kill or process" -n 2 --dist worksteal tests/kill

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
