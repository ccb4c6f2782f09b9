# Two commands do everything on a machine with only Python (3.11 or newer) and make:
#
#   make demo    environment, installation, the main job on a shipped recording
#   make test    environment with every extra, lint, types, documentation, the whole suite
#   make faults  kills, full disks, damaged inputs, large inputs: about an hour, writes docs/reliability.md
#   make benchmark  measures what it costs, beside other programs, writes docs/performance.md
#   make profile prints where the time of an analysis goes
#
# Another interpreter: make demo PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
DEMO := .demo
# nwb-mepp depends on the extension, a distribution of its own in the same repository.
NDX_MEPP := extensions/ndx-mepp
# What says which packages the environment needs, and in which version the extension is installed.
STATED := pyproject.toml constraints.txt $(NDX_MEPP)/pyproject.toml $(NDX_MEPP)/spec/ndx-mepp.namespace.yaml

.PHONY: demo test faults benchmark profile lint types docs suite clean

demo: $(VENV)/.runs
	@rm -rf $(DEMO)
	$(BIN)/nwb-mepp run data/simulated.abf --session-start 2026-01-15T10:00:00+00:00 \
	    --clamp izero --metadata data/metadata.yaml -o $(DEMO)
	@echo
	@echo "NWB file:  $$(find $(CURDIR)/$(DEMO) -name '*.nwb')"
	@echo "Picture:   $$(find $(CURDIR)/$(DEMO) -name '*.png')"

# What is checked beside the suite keeps one core busy each.
test: $(VENV)/.tests
	@$(MAKE) --jobs=2 lint types docs
	@$(MAKE) suite

lint: $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.tests
	$(BIN)/mypy

# Warnings are errors: a reference that leads nowhere fails here.
docs: $(VENV)/.tests
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -b html docs build/docs

# Three processes of one thread each: on two cores, one works while another waits for a process or a clock.
# Compiled modules are kept for the next run.
suite: $(VENV)/.tests
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

# Goes on where an interrupted run was; FRESH=--fresh begins anew.
faults: $(VENV)/.tests
	$(BIN)/python -m tests.faults --jobs 2 --page docs/reliability.md $(FRESH)

# On a quiet machine. ARGUMENTS="--before FOLDER --long --miniml ENVIRONMENT" adds another version,
# recordings of 4 h and 24 h, and miniML; --help tells more.
benchmark: $(VENV)/.tests
	$(BIN)/python docs/make_performance.py $(ARGUMENTS)

profile: $(VENV)/.tests
	$(BIN)/python docs/make_performance.py --profile

# The stamps keep the environment as it is until what it was made from changes.
$(VENV)/.runs: $(VENV)/.made $(STATED)
	$(PIP_INSTALL) --editable ./$(NDX_MEPP) --editable .
	@touch $@

$(VENV)/.tests: $(VENV)/.made $(STATED)
	$(PIP_INSTALL) --editable "./$(NDX_MEPP)[test]" --editable ".[cluster,train,review,formats,neuroconv,parquet,xlsx,docs,test]"
	@touch $@ $(VENV)/.runs

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and \
	    f"nwb-mepp needs Python 3.11 or newer, found {v[0]}.{v[1]}; name another: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

clean:
	rm -rf $(VENV) $(DEMO) build
