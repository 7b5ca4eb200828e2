# Needs python3 (3.11 or newer, with venv), git and make; everything else is installed into .venv.
# Another interpreter: make demo PYTHON=/path/to/python3.12. In Indonesian: make demo BAHASA=id

PYTHON ?= python3
CROSS_PYTHON ?=
SEED ?= 1
BAHASA ?= en
OUT ?= out/demo
PORT ?= 8080
BENCH_ARGS ?=
PYTEST_ARGS ?=
# one worker more than cores: some tests wait for processes, browsers and clocks of their own
TEST_WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo app class test test-all lint format results bench wheel-test cross-version venv clean

# The stamps carry the Python they were made with: another PYTHON remakes the environment. Each is touched last, so
# an interrupted installation leaves none and the next make starts over.
PYTAG := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
READY := .venv/ready-$(PYTAG)
READY_APP := .venv/ready-app-$(PYTAG)
READY_DEV := .venv/ready-dev-$(PYTAG)
PIP_INSTALL := -m pip install -qq --disable-pip-version-check -c constraints.txt

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | awk -F ':.*## *' '{printf "  make %-14s %s\n", $$1, $$2}'

venv: $(READY_DEV)  ## only the environment, with the developers' tools

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  found=$$($(PYTHON) --version 2>&1) || found="not installed"; \
	  echo "konvergensi needs Python 3.11 or newer; '$(PYTHON)' is $$found." >&2; \
	  echo "Install one, then name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version) (a minute or two, once)"
	@$(PYTHON) -m venv --clear .venv || { rm -rf .venv; \
	  echo "'$(PYTHON) -m venv' failed; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@.venv/bin/python $(PIP_INSTALL) -e .
	@touch $@

$(READY_APP): $(READY)
	@.venv/bin/python $(PIP_INSTALL) -e ".[app,paper]"
	@touch $@

$(READY_DEV): $(READY)
	@.venv/bin/python $(PIP_INSTALL) -e ".[dev]"
	@touch $@

app: $(READY_APP)  ## the pages in the browser of this computer (in Indonesian: make app BAHASA=id)
	.venv/bin/konvergensi app --lang $(BAHASA) --port $(PORT)

class: $(READY_APP)  ## a class that plays Kabupaten Lebak from its phones (docs/class.md)
	.venv/bin/konvergensi class --lang $(BAHASA)

demo: $(READY)  ## simulate the whole of Kabupaten Lebak, 2018-2024, into out/demo, or a free folder beside it
	@set -eu; out=$$(.venv/bin/python scripts/free_folder.py "$(OUT)"); \
	.venv/bin/konvergensi run baseline --district lebak --start 2018-01 --end 2024-12 \
	  --seed $(SEED) --population-share 1.0 --lang $(BAHASA) --out "$$out"; \
	echo; \
	if [ "$(BAHASA)" = id ]; then \
	  echo "Baca   $$out/summary.md      satu halaman, dalam kalimat biasa"; \
	  echo "Lihat  $$out/figures/        gambar"; \
	  echo "Pakai  $$out/*.parquet       tabel (pandas.read_parquet)"; \
	  echo "Kutip  $$out/manifest.json   versi, benih acak, masukan, dan mana yang sintetis"; \
	else \
	  echo "Read  $$out/summary.md      one page, in words"; \
	  echo "See   $$out/figures/        the pictures"; \
	  echo "Use   $$out/*.parquet       the tables (pandas.read_parquet)"; \
	  echo "Cite  $$out/manifest.json   version, seed, inputs and which of them are synthetic"; \
	fi

# A file of tests stays in one worker, so that what it shares is made once; models are shared by all (tests/kept.py).
# Workers take all cores: threads of BLAS beside them would only wait for each other. Compiled modules are kept, also on
# a machine that says otherwise: tests start hundreds of processes that import the package.
test test-all: export OPENBLAS_NUM_THREADS := 1
test test-all: export PYTHONDONTWRITEBYTECODE :=

test: $(READY_DEV)  ## the tests that answer at once, on all cores: without those marked slow or in tests/slow_tests.txt
	.venv/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not slow" --durations=10 $(PYTEST_ARGS)

test-all: $(READY_DEV)  ## every test, those that are slow by nature too
	.venv/bin/python -m pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder --durations=10 $(PYTEST_ARGS)

lint: $(READY_DEV)  ## ruff and mypy, changing nothing
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m mypy
	.venv/bin/lint-imports --no-logo

format: $(READY_DEV)  ## let ruff lay the code out and mend what it can
	.venv/bin/python -m ruff check --fix .
	.venv/bin/python -m ruff format .

results: $(READY_DEV)  ## run the shipped policies again and write their numbers into README and docs
	.venv/bin/python scripts/make_results.py
	.venv/bin/python scripts/make_odd.py
	.venv/bin/python scripts/run_notebooks.py

bench: $(READY_DEV)  ## full-size Lebak against the bare growth loop: time, memory; what common seeds gain
	.venv/bin/python benchmarks/bench.py $(BENCH_ARGS)
	.venv/bin/python benchmarks/bench_study.py

# sdist, wheel from that sdist, empty environment outside the tree, a run from another folder.
wheel-test: $(READY_DEV)  ## build the wheel, install it elsewhere, run it there
	rm -rf build/dist
	.venv/bin/python -m build --no-isolation --outdir build/dist . >/dev/null
	@set -eu; elsewhere=$$(mktemp -d); trap 'rm -rf "$$elsewhere"' EXIT; unset PYTHONPATH; \
	wheel=$$(ls build/dist/konvergensi-*.whl); \
	echo "$$wheel -> an empty environment"; \
	.venv/bin/python -m venv "$$elsewhere/venv"; \
	"$$elsewhere/venv/bin/python" $(PIP_INSTALL) "$$wheel"; \
	mkdir "$$elsewhere/work"; cd "$$elsewhere/work"; \
	"$$elsewhere/venv/bin/konvergensi" run --population-share 0.02 --end 2018-06 --out out; \
	for made in manifest.json summary.md series.parquet figures; do \
	  test -s "out/$$made" || { echo "the installed package made no out/$$made" >&2; exit 1; }; done; \
	"$$elsewhere/venv/bin/konvergensi" compare baseline one-list --draws 0 --seeds 1 --population-share 0.01 \
	  --end 2018-03 --out compared >/dev/null; \
	test -s compared/report.html || { echo "the installed package made no compared/report.html" >&2; exit 1; }; \
	"$$elsewhere/venv/bin/konvergensi" study run ishigami --out study --workers 1 >/dev/null; \
	test -s study/manifest.json || { echo "the installed package made no study" >&2; exit 1; }; \
	"$$elsewhere/venv/bin/konvergensi" validate --district kota-banjar --out validated >/dev/null; \
	test -s validated/validation.md || { echo "the installed package has no fitted draws" >&2; exit 1; }; \
	echo "wheel-test: the installed wheel ran by itself"

# Python 3.11 brings Mesa 3.3, 3.12 brings Mesa 3.5; results have to agree to rounding. A python3.12 that is only a
# version manager's shim fails when called, so each candidate is run before it is believed.
cross-version: $(READY_DEV)  ## the same run on another Python and another Mesa, compared
	@set -eu; \
	test -f tests/cross_version.py || { echo "cross-version: skipped, there is no tests/cross_version.py"; exit 0; }; \
	found=; version=; \
	for candidate in $(CROSS_PYTHON) python3.12 python3.11 "$$HOME"/.pyenv/versions/3.12*/bin/python \
	    "$$HOME"/.pyenv/versions/3.11*/bin/python; do \
	  version=$$("$$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue; \
	  if [ "$$version" != "$(PYTAG)" ]; then found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "cross-version: skipped, found no working Python 3.11 or 3.12 beside $(PYTAG) (name one: CROSS_PYTHON=...)"; \
	  exit 0; fi; \
	stamp=.venv-cross/ready-$$version; \
	if [ ! -e "$$stamp" ] || [ pyproject.toml -nt "$$stamp" ] || [ constraints.txt -nt "$$stamp" ]; then \
	  echo "Making .venv-cross with $$("$$found" --version)"; \
	  "$$found" -m venv --clear .venv-cross; .venv-cross/bin/python $(PIP_INSTALL) -e .; touch "$$stamp"; fi; \
	.venv/bin/python tests/cross_version.py .venv-cross/bin/python

clean:  ## remove environments, builds and caches; out/ stays
	rm -rf .venv .venv-cross build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
