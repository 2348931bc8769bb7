# Each target is complete on a fresh machine with Python 3.11, make and pip.
#   make run     open the window (without a display: train headless, export figures)
#   make test    lint, types, import contracts, tests
#   make test-of ROOM=core/inner  the tests of one room
#   make fuzz    other random input to the tests that take any, and spoilt files, each time
#   make bench   speed, as ratios; writes tests/bench/results/
#   make bench-peers  installs what make bench compares with, once, apart
# For a CPU-only or a CUDA build of torch, see README: make run TORCH_INDEX=URL

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := packaging/constraints.txt
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c $(CONSTRAINTS) \
	$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
PYTEST := $(BIN)/python -m pytest

.PHONY: run test lint format types contracts kernels pytest test-of shapes slow fuzz bench bench-peers coverage clean

run: $(VENV)/.run
	$(BIN)/metalab

# What checks the text and what compiles the kernels need nothing of each other.
test: $(VENV)/.dev
	$(MAKE) -j2 --output-sync lint types contracts kernels
	$(MAKE) pytest

lint: $(VENV)/.dev
	$(BIN)/ruff format --check metalab tests
	$(BIN)/ruff check metalab tests
	$(BIN)/codespell metalab tests README.md Makefile pyproject.toml

format: $(VENV)/.dev
	$(BIN)/ruff format metalab tests
	$(BIN)/ruff check --fix metalab tests

types: $(VENV)/.dev
	$(BIN)/pyright

contracts: $(VENV)/.dev
	$(BIN)/lint-imports --no-logo

# Real windows and processes wait for each other's clock and screen: they come last, each
# file in one process, and no more than one window beside one other process; the longest
# ones first.
LONGEST := tests/gui/test_close.py tests/ui/shell/test_app.py tests/end_to_end
ALONE := $(LONGEST) $(filter-out $(LONGEST),$(wildcard tests/gui/test_*.py))

# Compiled once, not by every process of tests that needs them.
kernels: $(VENV)/.dev
	METALAB_KERNELS=$(CURDIR)/.kernels $(BIN)/metalab kernels

pytest: kernels shapes
	OMP_NUM_THREADS=1 $(PYTEST) -m "not bench and not slow and not shapes" -n 3 tests $(addprefix --ignore=,$(ALONE))
	$(PYTEST) -m "not bench and not slow" -n 2 --dist loadfile --no-loadscope-reorder $(ALONE)

# The annotated shapes of core and tasks, checked while their tests run: three times as
# slow. Of all of metalab.core but fused.kernels, which numba reads as they are written.
shapes: kernels
	OMP_NUM_THREADS=1 $(PYTEST) @tests/shapes.args

# The tests of one room: make test-of ROOM=core/inner, with JOBS=2 for a large one
test-of: kernels
	@test -d tests/$(ROOM) || (echo "ROOM is '$(ROOM)'; allowed: a folder of tests, such as core/inner" >&2; exit 2)
	OMP_NUM_THREADS=1 $(PYTEST) -m "not bench and not slow" -n $(or $(JOBS),0) tests/$(ROOM)

# Longer than a minute each: the paper's presets to the end, many closes, soak.
slow: kernels
	$(PYTEST) @tests/shapes.args -m unchecked
	$(PYTEST) -m "slow or sampled"

# Random input to everything that Hypothesis tests, and 10,000 spoilt run files, share
# codes, experiments, lessons and preferences: other input every time, or FUZZ_SEED.
FUZZ_SEED ?= $(shell date +%s)
fuzz: kernels
	HYPOTHESIS_PROFILE=fuzz OMP_NUM_THREADS=1 $(PYTEST) -m "not bench and not slow" -n 2 \
	  $$(grep -rl "^@given" tests)
	$(BIN)/python -m tests.fuzz --seed $(FUZZ_SEED)

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench

bench-peers: $(VENV)/.dev
	$(BIN)/python -m tests.bench.install_peers

coverage: $(VENV)/.dev
	$(PYTEST) -m "not bench and not slow" --cov --cov-report=term-missing:skip-covered

$(VENV)/bin/python:
	@$(PYTHON) -c "import sys; sys.exit(0 if sys.version_info >= (3, 11) else 'metalab needs Python 3.11 or newer: make PYTHON=python3.11')"
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml $(CONSTRAINTS) | $(VENV)/bin/python
	$(PIP) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml $(CONSTRAINTS) | $(VENV)/bin/python
	$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) .venv-peers .kernels metalab-out .pytest_cache .ruff_cache .hypothesis
