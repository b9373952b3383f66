.DEFAULT_GOAL := help
PYTHON ?= python3
VENV   ?= .venv
EXTRAS ?= lessons,test,lint,docs,tracking
ARGS   ?=
OUT    ?= runs/first
EPOCHS ?= 10
PEERS  := scikit-learn-intelex cyanure glum skglm
PY     := $(VENV)/bin/python
READY  := $(VENV)/.ready

# .ready holds the folder the venv was made in: a copied or moved checkout, or a python that went away, sets up again.
ifneq ($(shell cat $(READY) 2>/dev/null && $(PY) -c pass 2>/dev/null),$(CURDIR))
$(shell rm -f $(READY))
endif

.PHONY: help setup run test lesson lint docs bench compare browse
help:
	@echo "make run     fit softmax regression to real images, exactly and by SGD, and write reports (sets up $(VENV) the first time)"
	@echo "make test    run the tests (sets up $(VENV) the first time)"
	@echo "make lesson  open a lesson in the browser: make lesson LESSON=softmax; without a name they are listed"
	@echo "make setup   only make $(VENV)"
	@echo "make lint    style, types and the contracts between the parts"
	@echo "make docs    build the documentation into docs/_build/html"
	@echo "make browse  open all lessons in Chromium, where it is installed, and move a control of each"
	@echo "make bench   time the gradient pass against the plain torch form"
	@echo "make compare race scikit-learn, cyanure, glum and others to the same proven gap: hours; less with ARGS=--help's options"
setup: $(READY)
# The exact optimum with its proof, then the loop of a textbook on the same data, to compare.
run: $(READY)
	@$(PY) -m onelayer fit fashion-mnist --fallback digits --test 0.2 --model softmax --out $(OUT) $(ARGS)
	@$(PY) -m onelayer fit fashion-mnist --fallback digits --test 0.2 --model softmax --solver sgd \
		--learning-rate 0.1 --batch-size 256 --epochs $(EPOCHS) --init normal --out $(OUT)-sgd $(ARGS)
# A process for each core, up to eight, with one thread each: threads that fight cost more than they bring.
test: $(READY)
	@OMP_NUM_THREADS=1 $(PY) -m pytest --numprocesses logical --maxprocesses 8 --dist loadfile $(ARGS)
lint: $(READY)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(VENV)/bin/ty check --python $(VENV)
	@$(VENV)/bin/lint-imports
docs: $(READY)
	@$(PY) -m sphinx -W --keep-going -n -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"
lesson: $(READY)
	@$(PY) -m onelayer lessons $(LESSON) $(ARGS)
browse: $(READY)
	@$(PY) -m pip install -q -c constraints.txt playwright
	@$(PY) tools/browse_lessons.py $(ARGS)
bench: $(READY)
	@$(PY) benchmarks/gradient_pass.py $(ARGS)
# A peer that has no wheel for this machine is left out, and the table says so.
compare: $(READY)
	@for peer in $(PEERS); do $(PY) -m pip install -q -c constraints.txt $$peer || echo "left out: $$peer"; done
	@$(PY) benchmarks/compare.py $(ARGS)

$(READY): pyproject.toml constraints.txt tools/setup_venv.py
	@$(PYTHON) tools/setup_venv.py $(VENV) $(EXTRAS)
	@echo "$(CURDIR)" > $@
