# One verb each. `make demo` and `make test` set up what they need; `make down` removes what they started.
SHELL := /bin/bash
SYSTEM ?= popcon
PYTHON := .venv/bin/python

.PHONY: help setup demo down test lint unit sanity cloud connection compose role e2e cases mutants canary canary-bad canary-kill bench-rollback bench-judge bench-ssm bench-redeploy bench-refresh selfheal bench-provision bench-noop docs changelog

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

cases: setup ## The tests of each known case, counted by case (make cases CASES="A1 B6" for some)
	@$(PYTHON) tools/cases.py $(CASES)

mutants: setup ## 200 small changes to the pure modules: does a unit test notice each?
	@$(PYTHON) tools/mutants.py

bench-ssm: setup ## The connection beside connection: local: tasks, files, hosts, memory
	@$(PYTHON) benchmarks/ssm.py

canary: setup ## The four-step switch of chat while 100 users chat (after make demo SYSTEM=chat)
	@$(PYTHON) benchmarks/canary.py good

canary-bad: setup ## A version with 5 % errors: from its first bad answer to 100/0
	@$(PYTHON) benchmarks/canary.py bad

canary-kill: setup ## kill -9 in each step of the switch
	@$(PYTHON) benchmarks/canary.py kill

bench-rollback: setup ## Rollbacks of chat: from the command to verified
	@$(PYTHON) benchmarks/canary.py rollback

bench-judge: setup ## How often the judge is wrong: 10 000 simulated rollouts of each scenario
	@$(PYTHON) benchmarks/judge.py

bench-refresh: setup ## A fleet of three under load: to a new version, then to one that never gets healthy
	@$(PYTHON) benchmarks/fleet.py refresh

selfheal: setup ## An instance of wealist crashes: until another serves and is watched
	@$(PYTHON) benchmarks/fleet.py selfheal

bench-provision: setup ## A first run of wealist with the creation times of AWS: wall time over critical path
	@$(PYTHON) benchmarks/provision.py first

bench-noop: setup ## A run of wealist that changes nothing, beside one stock task for each resource
	@$(PYTHON) benchmarks/provision.py noop

bench-redeploy: setup ## Requests lost during redeployments: ours beside docker compose up -d
	@$(PYTHON) tools/bench_redeploy.py

docs: setup ## HTML reference in .work/docs
	@tools/docs.sh
