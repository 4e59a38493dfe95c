# liveos-tui. `make help` lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PRACTICE ?= practice-stick
STATE ?= nearly-full

.DEFAULT_GOAL := help
.PHONY: help install practice bundle test check fuzz vm vm-cuts bench bench-merge screenshots manual clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

# The environment is as new as the project file; packages are asked for before it is made.
$(VENV)/.installed: pyproject.toml tests/packages
	tests/packages base
	@echo 'making $(VENV): Python packages are fetched and installed; this takes some 20 seconds'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

install: $(VENV)/.installed  ## make the environment (.venv/bin/liveos-tui)

practice: install  ## build a practice stick and open the console on it (STATE=invalid for another)
	tests/packages practice
	$(BIN)/liveos-tui practice '$(PRACTICE)' --state $(STATE)

bundle: install  ## build/liveos-tui: the program with all that it needs, to run from a stick
	$(BIN)/python tools/bundle/build.py build/liveos-tui $(addprefix --python ,$(PYTHONS))

# Half of the time a test waits for a screen, a worker or a disk: twice as many as CI has processors.
test: install  ## environment, system packages, linters, all tests that need no VM
	tests/packages practice test
	$(BIN)/python -m pytest -n 4 --dist worksteal

check: install  ## linters only: ruff, mypy, import-linter
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

fuzz: install  ## damaged inputs for every parser (RUNS=1000000 in all)
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: 'atheris>=2.3'
	$(BIN)/python tests/fuzz/fuzz.py --runs $(or $(RUNS),100000)

vm: install  ## the VM lanes: a real kernel and a real stick in QEMU (LANE=dm or LANE=stick for one)
	tests/vm/run $(or $(LANE),all)

vm-cuts: install  ## power cuts in the middle of recover, grow, merge and the merge of the running system (MOMENTS=20, KILLS=2)
	tests/vm/run cuts $(or $(MOMENTS),20) $(or $(KILLS),2)

bench: install  ## the figures of the README, each with its command
	tests/packages practice test
	$(BIN)/python tests/bench/cow.py
	$(BIN)/liveos-tui practice .cache/bench-stick --state healthy --no-console
	$(BIN)/python tests/bench/console.py $(BIN)/liveos-tui .cache/bench-stick

bench-merge: install  ## merging side by side in a VM: the wiki's sequence, both engines, the limit (MIB=2048 LEVEL=9: a larger root, a denser image)
	tests/vm/run bench-merge --mib $(or $(MIB),1024) --runs $(or $(RUNS),3) --level $(or $(LEVEL),3)

# One version of the renderer, so that a PNG changes only with its SVG.
screenshots: install  ## make every picture in screenshots/ anew
	tests/packages practice
	$(BIN)/python -m pip install --quiet --disable-pip-version-check resvg-py==0.5.0
	$(BIN)/python tests/screenshots.py

manual: install  ## make the man page and the completion scripts anew, from the command line's parser
	$(BIN)/python tests/manual.py
	$(BIN)/python tests/completion.py

clean:  ## remove everything that is made (environment, caches, practice stick)
	rm -rf $(VENV) .cache build liveos_tui.egg-info '$(PRACTICE)'
