# make demo | test | test-fast | check | package | bench | board | docs: each installs what it needs into .venv first.
# Needs Python 3.11 or newer, and make.

SHELL := /bin/sh
VENV := .venv
IN := $(VENV)/bin/python
PYTHON ?= $(shell for p in python3 python3.12 python3.11 python3.13; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; break; fi; done)

.PHONY: demo test test-fast check package bench bench-gpu board docs clean

# One process a core, each with a share of the threads; whoever runs out of tests takes some of another's. The workers
# start at distant rooms and share one cache of compiled kernels, so that hardly one is compiled twice.
WORKERS ?= auto
PYTEST := $(IN) -m pytest --numprocesses $(WORKERS) --maxprocesses 8 --dist worksteal

demo: $(VENV)/installed
	$(IN) -m eventbench demo

# TESTS="tests/store -k seal" runs a part of them.
test: $(VENV)/installed-test
	$(PYTEST) $(TESTS)

# Without what is marked slow: for while you work.
test-fast: $(VENV)/installed-test
	$(PYTEST) -m "not slow" $(TESTS)

check: $(VENV)/installed-test
	$(IN) -m ruff format --check . && $(IN) -m ruff check . && $(IN) -m mypy

# Builds the sdist and the wheel into dist/ and tries the wheel in an empty environment.
package: $(VENV)/installed
	PYTHON=$(IN) .ci/package

# Peers are installed for this only. BENCH="--only frames store" runs a part.
bench: $(VENV)/installed-bench
	$(IN) benchmarks/run_all.py $(BENCH)

bench-gpu: $(VENV)/installed-bench
	$(IN) benchmarks/bench_gpu.py

# The tables in leaderboard/README.md, made anew from the records.
board: $(VENV)/installed
	$(IN) -m eventbench site --out build/site --markdown leaderboard/README.md --board leaderboard

# The pages of datasets/ and pipelines/, made anew from the cards, the code and tools/handbook/words/.
docs: $(VENV)/installed
	$(IN) -m tools.handbook

# constraints.txt pins the whole tried set; the pin of torch names no build, so that CUDA builds fit it too.
$(VENV)/installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "eventbench needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	test -x $(IN) || $(PYTHON) -m venv $(VENV)
	$(IN) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(IN) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

$(VENV)/installed-bench: $(VENV)/installed-test
	$(IN) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,bench]'
	@touch $@

clean:
	rm -rf $(VENV)
