# One line of help behind each target's name; `make` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
S2S := $(BIN)/s2s
# Tests are small: a thread each, and as many at a time as there are cores, up to four.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

EXP ?= bilstm_attn
DATA ?= builtin
RUN ?= latest
SPLIT ?= test
PORT ?= 5000
# A person's values reach the shell in its environment, as they were typed: a $ is no variable, a space or ; ends no
# word. ARGS alone are words of the shell, so that they can have quotes of their own.
VALUES := EXP DATA DATA_DIR DEVICES RUN RUNS SPLIT TEXT PREFIX IN OUT WORD NAME ALIAS SWEEP TRIALS WORKERS STORAGE PORT
GIVEN := $(foreach name,$(VALUES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
$(foreach name,$(VALUES),$(eval override export $(name) := $$(value $(name))))
# `$(call option,--flag,NAME)`: the flag with that value, if the value was given.
option = $(if $(filter $(2),$(GIVEN)),$(1) "$$$(2)")
# Only a DATA that was given narrows the choice of RUN.
ONLY = $(call option,--dataset,DATA)
FOLDER = $(if $(DATA_DIR),--data_dir "$$DATA_DIR")

# Every target with a help text is no file.
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*## .*/\1/p' $(MAKEFILE_LIST))

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready  ## make .venv with the exact versions of constraints.txt

INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e

.venv/.ready: pyproject.toml constraints.txt
	@echo "Installing into .venv (one to two minutes the first time)"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) .
	@touch $@

# What only tests and linters need.
.venv/.dev: .venv/.ready
	@echo "Installing what the tests need into .venv"
	$(INSTALL) '.[dev]'
	@touch $@

train: .venv/.ready  ## train EXP=bilstm_attn [DATA=builtin] [DATA_DIR=folder] [DEVICES=2|auto] [ARGS="--trainer.max_epochs=3"]
	@$(S2S) train "$$EXP" --dataset "$$DATA" $(FOLDER) $(if $(DEVICES),--trainer.devices="$$DEVICES") $(ARGS)

resume: .venv/.ready  ## go on with a training that was stopped: RUN=latest|experiment|id [DATA=...] [ARGS=...]
	@$(S2S) resume "$$RUN" $(ONLY) $(ARGS)

evaluate: .venv/.ready  ## score a run again: RUN=latest|best|experiment|id [DATA=...] [SPLIT=test] [DATA_DIR=folder] [ARGS=...]
	@$(S2S) evaluate "$$RUN" --split "$$SPLIT" $(ONLY) $(FOLDER) $(ARGS)

compare: .venv/.ready  ## are the differences real? RUNS="lstm bilstm_attn" (names with all seeds, or run ids) [DATA=...] [SPLIT=test] [ARGS=...]
	$(if $(RUNS),,$(error say what to compare: RUNS="lstm bilstm_attn"))@set -f; $(S2S) compare $$RUNS --split "$$SPLIT" $(ONLY) $(ARGS)

translate: .venv/.ready  ## translate: RUN=latest (RUN="id1 id2": an ensemble), TEXT="..." or IN=file OUT=file or standard input [ARGS="--n_best 3"]
	@set -f; $(S2S) translate $$RUN $(ONLY) $(if $(filter TEXT,$(GIVEN)),--text="$$TEXT") $(call option,--in,IN) $(call option,--out,OUT) $(ARGS)

generate: .venv/.ready  ## texts from a language model: RUN=latest [PREFIX="Ein Mann"] [OUT=file] [ARGS="--count 5 --task.search.temperature 0.7"]
	@set -f; $(S2S) generate $$RUN $(ONLY) $(if $(filter PREFIX,$(GIVEN)),--prefix="$$PREFIX") $(call option,--out,OUT) $(ARGS)

score: .venv/.ready  ## log-probabilities of given pairs (texts, for a language model): RUN=latest, IN=pairs.tsv OUT=file or standard input and output [ARGS="--tokens"]
	@set -f; $(S2S) score $$RUN $(ONLY) $(call option,--in,IN) $(call option,--out,OUT) $(ARGS)

experiments: .venv/.ready  ## list what can be trained, and on which data
	@$(S2S) experiments

parts: .venv/.ready  ## list every part an experiment can name [NAME=attention|LSTM|...: a kind, or all about one part]
	@$(S2S) parts $(call option,,NAME)

neighbours: .venv/.ready  ## the tokens nearest to a word in a run: RUN=latest WORD=house [ARGS="--side target --count 20"]
	@$(S2S) neighbours "$$RUN" $(ONLY) --word="$$WORD" $(ARGS)

sweep: .venv/.ready  ## search settings: SWEEP=dropout_schedule_batching [TRIALS=20] [WORKERS=2] [STORAGE=...]; without SWEEP, list them
	@$(S2S) sweep $(call option,,SWEEP) $(call option,--trials,TRIALS) $(call option,--workers,WORKERS) $(if $(STORAGE),--storage "$$STORAGE") $(FOLDER) $(ARGS)

register: .venv/.ready  ## a run's best checkpoint as a model version: RUN=latest NAME=de [ALIAS=champion]: moves if significantly better
	@$(S2S) register "$$RUN" $(or $(call option,,NAME),$(error give the model a name: NAME=...)) $(ONLY) $(call option,--alias,ALIAS) --split "$$SPLIT"

sweep-doctor: .venv/.ready  ## look for what crashed sweeps have left behind [STORAGE=...] [ARGS=--mend]
	@$(S2S) sweep-doctor $(if $(STORAGE),--storage "$$STORAGE") $(ARGS)

dashboard: .venv/.ready  ## optuna-dashboard over the studies, on localhost [STORAGE=...] [PORT=8080]
	@$(S2S) dashboard $(if $(STORAGE),--storage "$$STORAGE") $(call option,--port,PORT)

sync: .venv/.ready  ## send what waits on this disk because the tracking store was away [RUN=id]
	@$(S2S) sync $(call option,,RUN)

ui: .venv/.ready  ## the MLflow UI on localhost, at the table of runs [PORT=5000]
	@$(S2S) ui --port "$$PORT"

test: .venv/.dev  ## the quick tests (no network, a few minutes) [ARGS="-k attention"]
	@$(PYTEST) $(ARGS)

test-slow: .venv/.dev  ## the learning tests and end-to-end runs [ARGS=...]
	@$(PYTEST) -m slow $(ARGS)

test-kill: .venv/.dev  ## the matrix of trainings that are killed and resumed (some minutes) [ARGS=...]
	@$(PYTEST) -m kill $(ARGS)

benchmark: .venv/.ready  ## training and search speed of EXP=bilstm_attn [DATA=builtin] [DATA_DIR=folder] [ARGS=...]
	@$(BIN)/python benchmarks/speed.py "$$EXP" --dataset "$$DATA" $(FOLDER) $(ARGS)

benchmark-processes: .venv/.ready  ## two processes against one with two threads, EXP=bilstm_attn [DATA=builtin] [DATA_DIR=folder] [ARGS=...]
	@$(BIN)/python benchmarks/processes.py "$$EXP" --dataset "$$DATA" $(FOLDER) $(ARGS)

smoke: .venv/.dev  ## every experiment file: two steps, validated, saved, reloaded, translated [ARGS="-k coverage"]
	@$(PYTEST) -m slow tests/experiments $(ARGS)

check: .venv/.dev  ## linter, formatter, types, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

constraints: .venv/.dev  ## write constraints.txt anew from what .venv holds
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/^\(torch==[^+]*\).*/\1/' | grep -v ' @ ' > constraints.txt

clean:  ## remove caches and build products; runs and .venv stay
	rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info $$(find s2s_lit tests -name __pycache__)
