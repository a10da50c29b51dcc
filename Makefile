# Two commands are enough: make call, make test. Each sees to what it needs.

export PATH := $(CURDIR)/target/tools/bin:$(PATH)
CARGO := cargo
REHEARSE := $(CARGO) run --quiet --locked -p rehearse --

.NOTPARALLEL:
.PHONY: help call ahoy picture test check conformance chaos interop network bench soak bench-webhook bench-turns serve ci build-tools test-tools interop-tools quality-tools

help:
	@echo 'make call          a simulated caller rings, talks, interrupts, takes leave: no accounts, no keys, no Docker'
	@echo 'make ahoy          the ahoy command on the calls that make call has left (ARGS=calls, ARGS="show CALL")'
	@echo 'make picture       docs/report.png, of the last call that make call has left'
	@echo 'make test          every test'
	@echo 'make check         format, lints, docs, and what the architecture forbids'
	@echo 'make serve         the product alone, on this machine, for your own callers (settings: README.md)'
	@echo 'make conformance   every recorded session with the model, of the last call and the last tests, held to OpenAI'"'"'s own types'
	@echo 'make chaos         two hundred calls while everything goes wrong that can, ten minutes (SEED, CALLS)'
	@echo 'make bench         what the media task costs on one core, with up to 150 calls at once, release build (CALLS, WINDOWS)'
	@echo 'make soak          two thousand calls in a row, and what they leave behind, release build (CALLS)'
	@echo 'make interop       aiortc and headless Chromium call, with their own offers and with WhatsApp'"'"'s form of them, IPv4 and IPv6'
	@echo 'make bench-webhook how fast the webhook is, release build'
	@echo 'make bench-turns   how fast the conversation is, release build, seven minutes'
	@echo 'make ci            what CI runs: check, test, a call, conformance, a little chaos, interop'
	@echo 'make network       calls through nine kinds of network: how the speech sounds, and whether they go on, four minutes'

call: build-tools
	@$(REHEARSE) call $(if $(MISCHIEF),--mischief $(MISCHIEF))

ahoy: build-tools
	@$(REHEARSE) ahoy -- $(or $(ARGS),--help)

picture: build-tools
	scripts/picture.sh

test: build-tools test-tools
	$(CARGO) build --locked --workspace --bins
	rm -rf target/stories
	$(CARGO) nextest run --locked --workspace
	$(CARGO) test --quiet --locked --workspace --doc

check: build-tools
	$(CARGO) fmt --all --check
	$(CARGO) clippy --quiet --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --quiet --locked --workspace --no-deps
	scripts/purity.sh

conformance:
	scripts/conformance.sh

chaos: build-tools
	@$(REHEARSE) chaos --seed $(or $(SEED),1) --calls $(or $(CALLS),200)

bench: build-tools
	@$(CARGO) run --quiet --release --locked -p rehearse -- bench --out docs/bench $(if $(CALLS),--calls $(CALLS)) $(if $(WINDOWS),--windows $(WINDOWS))

soak: build-tools
	@$(CARGO) run --quiet --release --locked -p rehearse -- soak --calls $(or $(CALLS),2000)

interop: build-tools interop-tools
	@$(REHEARSE) interop

bench-webhook: build-tools
	@$(CARGO) run --quiet --release --locked -p rehearse -- bench-webhook

bench-turns: build-tools
	@$(CARGO) run --quiet --release --locked -p rehearse -- bench-turns

# Four minutes: twelve calls, six at a time.
network: build-tools quality-tools
	@$(REHEARSE) network

serve: build-tools
	@$(CARGO) run --quiet --release --locked -p rehearse -- serve

# Forty calls take two minutes, the callers of other make two and a half. The networks wait until their clean call is as
# good on a busy machine as on a quiet one.
ci: check test call conformance
	$(MAKE) chaos CALLS=40
	$(MAKE) interop

build-tools:
	@scripts/build-tools.sh

test-tools:
	@scripts/test-tools.sh

interop-tools:
	@scripts/interop-tools.sh

quality-tools:
	@scripts/quality-tools.sh
