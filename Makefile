# LibrA's verbs. Two are for everyone: `make demo` and `make test`.
.DEFAULT_GOAL := help
PY := .venv/bin/python
PACKAGES := schemas libs services cli lab
export KEEP CHAOS N

.PHONY: help checks setup demo test test-host test-network test-lab campaign simulate images test-compose check format \
  generate lock bench clean

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: ## install what is missing (Debian packages as root, .venv); fast when nothing changed
	@tools/setup

# What checks and tests read besides: a schema from npm, as root docker-compose 1.29.
checks:
	@tools/setup check

demo: setup ## the whole story in the lab (KEEP=1 stays up for lab/enter, CHAOS=seed kills every process)
	@lab/run --mem 3G -- $(PY) -m libra_lab.demo

test: checks ## every test: on this host, then in the lab
	@$(PY) tools/test.py

test-host: checks ## only the tests that need no namespaces and no IPVS
	@$(PY) tools/test.py host

test-network: checks ## only VRRP in network namespaces: of this host as root, else of the lab
	@$(PY) tools/test.py network

campaign: checks ## one owner whatever befalls the host: 20 times each, bounds in time (wants a quiet machine)
	@$(PY) tools/test.py campaign

test-lab: checks ## only the tests that run on the lab's kernel
	@$(PY) tools/test.py lab

simulate: setup ## VRRP's mishaps under a virtual clock (HOURS=1, SEEDS=n; SEED=n once more)
	@$(PY) -m tests.vrrp.simulation $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) \
	  $(if $(HOURS),--hours $(HOURS))

images: checks ## every image by the Dockerfile, and one with BuildKit too; 20 s to 5 min (needs root)
	@tools/setup compose
	@$(PY) -m tools.compose.images
	@$(PY) -m tools.compose.buildkit

test-compose: checks ## docker-compose.yml on the lab's kernel, with a Docker engine in it (needs root)
	@tools/setup compose
	@$(PY) -m tools.compose.images
	@LIBRA_COMPOSE=1 lab/run --uml --mem 6G -- $(PY) -m pytest tests/compose

check: checks ## format, lint, types, import fences, spelling, schemas, Dockerfile, compose file
	@.venv/bin/ruff format --check --quiet . || { echo "make check: run make format"; exit 1; }
	@.venv/bin/ruff check --quiet .
	@.venv/bin/mypy $(wildcard schemas/src libs/*/src services/*/src cli/src lab/src) tests bench tools
	@.venv/bin/lint-imports
	@.venv/bin/codespell
	@$(PY) -m tools.validate
	@.venv/bin/hadolint Dockerfile
	@$(PY) -m tools.compose.resolve

format: setup ## format and mend what can be mended
	@.venv/bin/ruff format --quiet .
	@.venv/bin/ruff check --quiet --fix .

generate: setup ## write schemas/generated, the event tables and VRRP's states from the code
	@$(PY) -m libra_schemas.generate
	@$(PY) -m tools.states

lock: setup ## resolve the dependencies again (needs uv, installed into .venv)
	@$(PY) -m pip install --quiet uv
	@$(PY) tools/lock.py

bench: setup ## LibrA beside its peers (ROW=name for one, N=2 for few repeats)
	@$(PY) -m bench $(ROW)

clean: ## remove what set-up and tests made
	@rm -rf .venv .state/compose .mypy_cache .ruff_cache .pytest_cache .hypothesis bench/results
