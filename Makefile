# Every target sets up by itself: a virtual environment in .venv, made once and remade when
# pyproject.toml changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MEDIA ?= ../shared/media
EVAL ?= build/evaluation
FRAMES ?= 90
# Tests run in so many processes; each takes up to a gigabyte.
WORKERS ?= auto --maxprocesses=4
# On what ground the photos in MEDIA are used: artworks and made-up characters, unless you say otherwise.
CONSENT ?= fictional
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup studio demo test quick lint docs bench eval format wheel clean

help: ## say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(READY) ## make the virtual environment

$(READY): pyproject.toml embedded.toml hatch_build.py $(wildcard conversion/*.py)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	$(BIN)/understudy doctor > /dev/null
	@touch $@

studio: $(READY) ## open the studio in your browser: a face, a camera, a button
	$(BIN)/understudy studio

demo: $(READY) ## swap a sample photo onto a sample clip; files land in demo/
	$(BIN)/understudy demo --output-dir demo

# What measures time runs afterwards, two tests at a time: they wait more than they work. It runs even if others failed,
# so that one run says everything. The few tests that failed then run once more, each by itself: what holds the second
# time was up to the machine (memory that malloc kept, a moment without a core) and is told as unsteady.
PYTEST := $(BIN)/python -m pytest
SHARED := -n $(WORKERS) --dist worksteal

test: $(READY) ## all tests
	@rm -rf .pytest_cache; $(PYTEST) $(SHARED) -m "not alone"; beside=$$?; \
	$(PYTEST) -n 2 -m alone $$(grep -rl --include="test_*.py" "mark.alone" tests); alone=$$?; \
	test $$beside$$alone = 00 || $(BIN)/python tools/once_more.py $$beside $$alone

quick: $(READY) ## the tests that take no more than a third of a second each, but for those that measure time
	@$(PYTEST) $(SHARED) -m "not alone and not slow"

lint: $(READY) docs ## format, lint, types, import rules, references
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

docs: $(READY) ## the reference of the Python interface, in build/api
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --fresh-env docs/api build/api

format: $(READY) ## put the code into the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## speed and memory, as ratios
	$(BIN)/python -m benchmarks

eval: $(READY) ## how good the engine's swaps are: on MEDIA if it is there, else on what is made; report in EVAL
	test -d "$(MEDIA)" || $(BIN)/python tools/evaluation_media.py $(EVAL)/media
	media="$(EVAL)/media"; ground=sample; ! test -d "$(MEDIA)" || { media="$(MEDIA)"; ground="$(CONSENT)"; }; \
	$(BIN)/understudy eval --sources "$$media/sources" --clips "$$media/targets" --output-dir $(EVAL) --overwrite \
		--frames $(FRAMES) --consent "$$ground"

wheel: $(READY) ## the package, as a wheel in dist/
	rm -f dist/understudy-*.whl
	$(BIN)/python -m build --wheel --outdir dist .

clean: ## remove what was made
	rm -rf $(VENV) demo dist build .mypy_cache .ruff_cache .pytest_cache
