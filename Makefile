# make demo    set up, train, freeze, verify and time a small binary network; DATA=mnist for MNIST
# make test    set up and run the tests; ARGS="-k name" is handed to pytest
# make claims  every claim: bar, measured, command; OF=main-job for one table
# make logic-mnist  train and evaluate 48,000 logic gates on MNIST; SEED=0
# make lint    ruff and pyright
# make setup   the environment alone: .venv with torch (CPU), the package in editable form, the native core
#
# Choices, on the command line or in the environment: PYTHON=python3.12  TORCH=torch==2.13.0 (any pip requirement)
# TORCH_INDEX=url  EXTRAS=dev  VENV=folder

VENV ?= .venv
DATA ?= digits
SEED ?= 0
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
CHOICES := $(PYTHON) $(TORCH) $(TORCH_INDEX) $(EXTRAS)
export PYTHON TORCH TORCH_INDEX EXTRAS VENV CHOICES

.PHONY: setup demo test claims logic-mnist lint clean FORCE

setup: $(STAMP)

# Folders stand in the list too: their times change when a file goes or comes, so an edited core is never stale.
$(STAMP): pyproject.toml constraints.txt CMakeLists.txt scripts/setup.sh $(shell find native 2>/dev/null)
	@sh scripts/setup.sh
	@touch $@

ifneq ($(strip $(CHOICES)),)  # a choice made by name counts also when no file changed
ifneq ($(strip $(CHOICES)),$(strip $(shell cat $(VENV)/.choices 2>/dev/null)))
$(STAMP): FORCE
endif
endif

# A core that is missing although a compiler is there (one was installed since) is built now.
ifeq ($(wildcard src/bitwright/native/libbw_run.so),)
ifneq ($(shell command -v cc || command -v gcc || command -v clang),)
$(STAMP): FORCE
endif
endif

demo: setup
	@$(BIN)/bitwright demo --data $(DATA)

test: setup
	@$(BIN)/python -m pytest $(ARGS)

claims: setup
	@$(BIN)/python -m benchmarks.claims $(if $(OF),--of $(OF))

logic-mnist: setup
	@$(BIN)/bitwright train mnist_logic --seed $(SEED) --resume
	@$(BIN)/bitwright eval runs/mnist_logic-seed$(SEED)

lint: setup
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt ruff 'pyright[nodejs]'
	@$(BIN)/ruff check . && $(BIN)/pyright --pythonpath $(BIN)/python

clean:
	rm -rf $(VENV) build dist src/bitwright/native
