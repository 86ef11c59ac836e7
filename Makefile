# One verb each. `make demo` and `make test` set up what they need; `make down` removes what they started.
SHELL := /bin/bash
SYSTEM ?= popcon
PYTHON := .venv/bin/python

.PHONY: help setup demo down test lint unit sanity cloud connection compose role e2e bench-judge bench-ssm bench-redeploy docs changelog

help: ## Show the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Virtual environments, collections, Docker Engine
	@tools/setup.sh

demo: setup ## Bring the local cloud up and SYSTEM (popcon) on it, from nothing to URLs
	@$(PYTHON) tools/demo.py up --system $(SYSTEM)

down: ## Remove everything that make demo started
	@tools/down.sh

test: setup ## Every test: lint, unit, sanity, connection, cloud, role, compose, e2e
	@$(PYTHON) tools/check.py all

lint unit sanity cloud connection compose role e2e: setup ## One stage of make test
	@$(PYTHON) tools/check.py $@

bench-ssm: setup ## The connection beside connection: local: tasks, files, hosts, memory
	@$(PYTHON) benchmarks/ssm.py

bench-judge: setup ## How often the judge is wrong: 10 000 simulated rollouts of each scenario
	@$(PYTHON) benchmarks/judge.py

bench-redeploy: setup ## Requests lost during redeployments: ours beside docker compose up -d
	@$(PYTHON) tools/bench_redeploy.py

docs: setup ## HTML reference in .work/docs
	@tools/docs.sh
