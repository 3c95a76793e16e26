# SPDX-License-Identifier: BSD-3-Clause
# `make demo` and `make test` set up a fresh machine by themselves; `make help` lists the rest.

VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.mcugen-setup
MODEL  ?= digits
BOARD  ?= nucleo
# Options for pip. Without any, a Linux machine without a GPU takes PyTorch from its index of CPU-only
# builds, if that answers (.ci/torch-index).
export PIP_ARGS ?=

CPP_FILES = $(shell git ls-files 'firmware/*.h' 'firmware/*.cpp' 'tests/*.h' 'tests/*.cpp')

.PHONY: help setup demo test lint format bench clean
.DEFAULT_GOAL := help

help:
	@echo "make setup   install system packages and .venv (the tool is $(BIN)/mcugen)"
	@echo "make demo    the whole path on the bundled digits model, simulated Nucleo"
	@echo "make test    setup, lint and every test"
	@echo "make lint    ruff, mypy, import-linter, clang-format"
	@echo "make format  let ruff and clang-format rewrite the tree"
	@echo "make bench   figures of the MLPerf Tiny workloads on every core: docs/performance.md"

setup: $(STAMP)

$(STAMP): pyproject.toml .ci/system-packages .ci/python
	@.ci/system-packages
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || "$$(.ci/python)" -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) $$($(BIN)/python .ci/torch-index) --editable '.[dev]'
	@touch $@

demo: setup
	$(BIN)/mcugen run $(MODEL) --board $(BOARD) --simulate

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup --durations 40 --durations-min 10 tests hil

lint: setup
	$(BIN)/ruff check generator tests hil docs
	$(BIN)/ruff format --check generator tests hil docs
	$(BIN)/mypy
	$(BIN)/lint-imports
	@test -n "$(CPP_FILES)" || { echo "lint needs a git checkout: git ls-files names no C++" >&2; exit 1; }
	@echo clang-format
	@$(BIN)/clang-format --dry-run --Werror $(CPP_FILES)

format: setup
	$(BIN)/ruff check --fix generator tests hil docs
	$(BIN)/ruff format generator tests hil docs
	@$(BIN)/clang-format -i $(CPP_FILES)

bench: setup
	@mkdir -p mcugen_out
	$(BIN)/mcugen bench --suite --markdown docs/performance.md --json > mcugen_out/suite.json
	$(BIN)/python tests/bench/record.py < mcugen_out/suite.json

clean:
	rm -rf mcugen_out
