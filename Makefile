# The commands. `make help` explains each.

SHELL := /bin/bash
.DEFAULT_GOAL := help

FUNCTIONS := $(notdir $(wildcard functions/api/* functions/jobs/*))

.PHONY: help setup build programs demo local test test-strict campaign chaos conformance screenshots sam-test deploy rollback check template openapi bench sizes clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install missing packages (silent if none is missing)
	@scripts/setup

build: ## Build the release binaries of all functions, and the local cloud
	@scripts/setup run
	@[ -e target/release ] || echo 'building $(words $(FUNCTIONS)) optimized functions (some minutes the first time)' >&2
	cargo build --release --locked --workspace $(foreach function,$(FUNCTIONS),--bin $(function))
	@scripts/glibc $(addprefix target/release/,$(FUNCTIONS)) || echo 'build: these programs are for this machine only' >&2
	cargo build --locked --workspace --bin local

demo: programs ## Run the main job on real input: one mail and a bulk, from the API to the mailbox (ONCE=1 exits after it)
	@target/debug/local demo $(if $(ONCE),--once)

local: programs ## Run the local cloud with all functions on http://localhost:3000, until Ctrl-C
	@target/debug/local up

programs: # Unoptimized, for this machine: what `make demo`, `make local` and the tests start
	@scripts/setup run
	@[ -e target/debug/local ] || echo 'building the local cloud and the functions (some five minutes the first time, on two cores)' >&2
	@cargo build --locked --workspace --bins
	@if command -v python3 >/dev/null; then scripts/template --check || true; fi

test: ## Run everything that CI runs
	@scripts/setup test
	@scripts/test

test-strict: ## Run the suite with stricter platforms: replica lag, duplicates, reordering, a budget of script time
	@scripts/setup test
	@scripts/test --strict

campaign: ## Run the properties with more seeds (CAMPAIGN_SEEDS=1000)
	@scripts/setup test
	@scripts/test --campaign

chaos: ## Run load while instances are killed, Redis is wiped, connections are cut: nothing acknowledged is lost (CHAOS_SECONDS=600)
	@scripts/setup test
	cargo build --locked --workspace --all-targets
	CHAOS_SECONDS=$(or $(CHAOS_SECONDS),600) CHAOS_PAGE=$(CURDIR)/docs/PERFORMANCE.md \
	  cargo test --locked --workspace --test suite -- --nocapture chaos::

conformance: ## Run the official clients' own suites with the local servers (SUITES="--qstash-js DIR ...", see scripts/conformance)
	@scripts/conformance $(SUITES)

screenshots: ## Take a screenshot of each type of mail, as wide as a phone, in target/screenshots (installs Chromium)
	@scripts/setup test
	@scripts/setup screenshots
	cargo build --locked --workspace --all-targets
	cargo test --locked --workspace --test suite -- mail_templates::screenshots::

sam-test: ## Run every function as deployed, in Lambda's container, with its sample events (needs a Docker engine)
	@scripts/sam-test

deploy: ## Deploy ENV (staging, production) of samconfig.toml: shows the changes and asks (DRY=1 only shows)
	@scripts/setup deploy
	@scripts/deploy $(ENV) $(if $(DRY),--dry-run)

rollback: ## Point every function of ENV at the previous version (DRY=1 only shows it)
	@scripts/setup deploy
	@scripts/deploy $(ENV) --rollback $(if $(DRY),--dry-run)

check: ## Check formatting, lints and documentation, with warnings denied, and that template.yaml is current
	@scripts/template --check
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --document-private-items --quiet

template: ## Write template.yaml from the files in template/
	@scripts/template

openapi: ## Write docs/openapi.json from the routes' own documentation, and the TypeScript types from it
	UPDATE_OPENAPI=1 cargo test --locked --workspace --test suite document_matches_the_routes
	@[ -d clients/typescript/node_modules ] || npm --prefix clients/typescript ci --silent --no-audit --no-fund
	npm --prefix clients/typescript run --silent generate

bench: build ## Measure, and write docs/PERFORMANCE.md
	@scripts/bench

clean: ## Delete builds and the local cloud's data
	cargo clean
	rm -rf .local
