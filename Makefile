# Needs Python 3.11 or newer and make; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO := build/demo
CHROMIUM ?= /usr/bin/chromium
# A process for each processor, with one thread of torch; a file's tests stay in one, for they share tables and models.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile

GUARDS := -m 'not slow and not browser'

.PHONY: demo test test-cpus test-all test-browser lint format bench docs clean

# torch comes first and pinned, so that no other requirement pulls in a build for graphics cards.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 -c constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo,dev]'
	touch $@

demo: $(READY)  ## make the demo table, fit it, complete it, and show it all on one page
	$(BIN)/python -m amodal.demo $(DEMO)

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: lint  ## everything that guards the main job
	$(PYTEST) $(GUARDS)

# A processor's kernels differ in their last bits: those of older ones are asked of OpenBLAS, torch and oneDNN, which
# needs a processor of the kind x86-64 with AVX2. The last run is in random order too (its seed stands at the top of what
# it prints; repeat it with `pytest -p randomly --randomly-seed=N`), in another time zone and without a language.
test-cpus: lint  ## `make test` in four environments, all of them even where one fails; takes four times as long
	@status=0; results=; \
	try() { \
		title=$$1; shift; echo "== $$title"; \
		if env "$$@"; then result='passed'; else result='FAILED'; status=1; fi; \
		results="$$results$$result  $$title\n"; \
	}; \
	try 'this processor, as it is' $(PYTEST) $(GUARDS); \
	try 'OpenBLAS of Nehalem' OPENBLAS_CORETYPE=Nehalem $(PYTEST) $(GUARDS); \
	try 'AVX2' ATEN_CPU_CAPABILITY=avx2 OPENBLAS_CORETYPE=Haswell $(PYTEST) $(GUARDS); \
	try 'no AVX in torch, random order, St. John'"'"'s, C' ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 \
		OPENBLAS_CORETYPE=Haswell TZ=America/St_Johns LC_ALL=C $(PYTEST) -p randomly $(GUARDS); \
	printf "$$results"; exit $$status

test-all: lint
	$(PYTEST) -m 'not browser'

test-browser: $(READY)  ## the report's page in Debian's chromium, which must be there already
	@test -x $(CHROMIUM) || { echo "There is no $(CHROMIUM): apt-get install chromium, or give CHROMIUM=/path/to/chromium."; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[browser]'
	CHROMIUM=$(CHROMIUM) $(BIN)/pytest -m browser tests/browser

bench: $(READY)  ## what is claimed of speed and coherence; takes a quarter of an hour
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.features
	$(BIN)/python -m benchmarks.gather
	$(BIN)/python -m benchmarks.digits

docs: $(READY)  ## one site of guides, examples and reference, in build/docs/index.html
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	$(BIN)/python -m docs.generate
	$(BIN)/typer amodal.cli utils docs --name amodal --title 'Command line' --output docs/reference/command-line.md
	$(BIN)/sphinx-build -q -b html -c docs . build/docs

clean:
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache
