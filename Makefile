# `make help` lists the targets. The environment lives in $(VENV); `make setup` is safe to repeat.
# torch comes first, since DeepSpeed is built against it. On a machine without a GPU,
# TORCH_INDEX=https://download.pytorch.org/whl/cpu saves gigabytes.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
TORCH_INDEX ?=
# USE=python3 runs `make gpu` and `make reader` with what is installed there, on hosts without a
# network; docs/small-reader.md says what must be.
USE ?=
PY := $(or $(USE),$(BIN)/python)
INSTALL := $(if $(USE),,setup)
DEMO ?= out/demo
DATA ?= examples/documents
READER ?= out/reader
READER_DATA ?= out/small-data
READER_OPTIONS ?=
MINUTES ?=
# DRY=1 goes through `make gpu` on a CPU with a few steps of everything; nothing of it is kept.
DRY ?=
GPU_OUT := $(if $(DRY),out/dry-gpu,out)

BENCH = $(if $(DRY),BENCH_RESULTS=$(GPU_OUT)) $(PY)
DRY_TRAIN := --preset nano --only bare --steps 2 --set parallel.threads=1
DRY_READER := --lines 40 --blocks 40 --pages 30 --held-out 6 --workers 1 \
  $(addprefix --set ,model.preset=nano lines.steps=2 blocks.steps=2 pages.steps=2 decay.steps=2 \
  stream.pack.budget_tokens=2560 stream.pack.budget_slices=24 stream.window_samples=32 \
  stream.sample.most_answer_tokens=1024 data.workers=0 parallel.threads=1 eval.pages=2 \
  eval.regions=4 eval.most_new_tokens=16)

.PHONY: help setup poppler demo test test-slow gpu reader check bench format lint types wheel clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' \
	  | while IFS=$$'\t' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

setup: poppler $(READY)  ## makes .venv (or VENV=folder) and installs pagemill and its tools into it

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "pagemill needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	       "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv $(VENV) || { \
	  echo "$(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(PIP) -e '.[dev]'
	DS_BUILD_OPS=0 $(PIP) --no-build-isolation -e '.[zero]'
	@touch $@

poppler:
	@command -v pdftoppm >/dev/null && fc-list 2>/dev/null | grep -qi nimbus && exit 0; \
	if ! command -v apt-get >/dev/null; then \
	  command -v pdftoppm >/dev/null && exit 0; \
	  echo "pdftoppm is missing: install poppler with your package manager, then make setup again" >&2; exit 1; fi; \
	if [ "$$(id -u)" = 0 ]; then sudo=; \
	elif command -v sudo >/dev/null; then sudo=sudo; \
	else echo "pdftoppm or its fonts are missing and this user is not root:" \
	          "ask for apt-get install poppler-utils fonts-urw-base35" >&2; \
	     command -v pdftoppm >/dev/null; exit; fi; \
	echo "installing poppler-utils and fonts-urw-base35"; \
	$$sudo apt-get update -qq </dev/null; \
	DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq poppler-utils fontconfig fonts-urw-base35 </dev/null >/dev/null

demo: setup  ## builds a corpus from examples/documents, corrupts it, trains on it, evaluates, reports
	$(BIN)/pagemill build examples/documents --out $(DEMO) \
	  --config examples/build.toml --set shard.bytes=2000000 --passwords examples/passwords.txt
	$(BIN)/pagemill verify $(DEMO)
	$(BIN)/pagemill preview $(DEMO) --out $(DEMO)-preview.html
	$(BIN)/pagemill stream $(DEMO) --steps 1 --set pack.global_packs=4 --html $(DEMO)-stream.html
	rm -rf $(DEMO)-run
	$(BIN)/pagemill train demo --data $(DEMO) --out $(DEMO)-run
	$(BIN)/pagemill eval $(DEMO)-run --data $(DEMO) --pages 4 --set seed=0 --set split=train --set as_trained=true --set read_pages=false
	$(BIN)/pagemill report $(DEMO)-run
	@echo; echo "corpus:   $(abspath $(DEMO)/report.html)"
	@echo "preview:  $(abspath $(DEMO)-preview.html)"
	@echo "stream:   $(abspath $(DEMO)-stream.html)"
	@echo "training: $(abspath $(DEMO)-run/report.html)"

test: setup  ## runs the tests, those marked slow or gpu apart
	$(BIN)/python -m pytest -m "not slow and not gpu" -n 2 --dist loadfile

test-slow: setup  ## runs the tests marked slow
	$(BIN)/python -m pytest -m "slow and not gpu" --timeout=3600

gpu: $(INSTALL)  ## tests and benchmarks that need an accelerator, then the small reader
	@[ -n "$(DRY)" ] || $(PY) -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' || { \
	  echo "torch sees no accelerator here; DRY=1 goes through it on the CPU" >&2; exit 1; }
	$(PY) -m pytest -m gpu $(if $(DRY),--collect-only -q) tests/model/test_gpu.py tests/train/test_gpu.py
	[ -f $(GPU_OUT)/gpu-corpus/corpus.json ] || $(PY) -m pagemill build $(DATA) --out $(GPU_OUT)/gpu-corpus
	$(BENCH) bench/model.py $(GPU_OUT)/gpu-corpus $(if $(DRY),--preset small --frames 12 --pages 4,--preset base)
	$(BENCH) bench/train.py $(GPU_OUT)/gpu-corpus $(if $(DRY),$(DRY_TRAIN),--preset base --device cuda)
	$(MAKE) reader $(if $(DRY),READER=$(GPU_OUT)/reader READER_OPTIONS='$(DRY_READER)')

reader: $(INSTALL)  ## trains and packs the small reader on a GPU; MINUTES=9 stops and goes on
	$(PY) tools/make_small_reader.py --out $(READER) --data $(READER_DATA) $(if $(MINUTES),--minutes $(MINUTES)) $(READER_OPTIONS)

check: lint types test  ## what CI runs: format, lint, types, tests

bench: setup  ## measures on DATA=folder and writes docs/benchmarks.md and the README table
	$(BIN)/python bench/build.py $(DATA)
	$(BIN)/python bench/backends.py $(DATA)
	$(BIN)/python bench/codecs.py $(DATA)
	$(BIN)/pagemill build $(DATA) --out out/bench-corpus
	$(BIN)/python bench/corrupt.py out/bench-corpus
	$(BIN)/python bench/legibility.py out/bench-corpus
	$(BIN)/python bench/model.py out/bench-corpus
	$(BIN)/python bench/stream.py out/bench-corpus
	$(BIN)/python bench/train.py out/bench-corpus
	$(BIN)/python bench/memorise.py
	$(BIN)/python bench/table.py

format: setup  ## rewrites the sources in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: setup  ## checks format and style with ruff
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup  ## checks types with mypy --strict
	$(BIN)/mypy .

wheel: setup  ## builds dist/pagemill-*.whl
	rm -rf build dist
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	rm -rf build
	@ls dist/*.whl

clean:  ## removes what the other targets made, the environment included
	rm -rf $(VENV) build dist out *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
