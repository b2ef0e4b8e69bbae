# kedge: `make demo` shows the loop, `make test` runs the tests. Both need only Go.

GO      ?= go
BIN     := bin
# Stamped from git, so that equal commits give equal binaries.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X kedge/cmd/internal/cli.Version=$(VERSION)
BUILD   := CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)'
TOOL    := $(GO) tool -modfile=tools/go.mod
FUZZTIME ?= 20s

.PHONY: build cross test test-race test-qemu e2e accept lint fuzz bench bench-drift bench-peers insns insns-update demo clean

build: ## both binaries for this machine, into bin/
	$(BUILD) -o $(BIN)/ ./cmd/kedge ./cmd/kedge-trainer

# GOARCH or GOARCH/GOARM of every board that kedge is for.
TARGETS := amd64 arm64 arm/6 arm/7 riscv64

cross: ## the device's binary for every board, into dist/
	@set -e; for t in $(TARGETS); do \
		arch=$${t%/*}; arm=$${t#*/}; [ "$$arm" != "$$t" ] || arm=; \
		GOOS=linux GOARCH=$$arch GOARM=$$arm $(BUILD) -o dist/kedge-linux-$$arch$${arm:+v$$arm} ./cmd/kedge; \
	done; ls -l dist

test: ## all tests that need nothing but Go; skips are said at the end
	@sh scripts/test.sh

test-race: ## what runs concurrently, under the race detector
	$(GO) test -race $$($(GO) list ./agent/... ./telemetry/... ./trainer/... | grep -v /agent/drift) # which starts no goroutines
	$(GO) test -race -skip Published ./quant/calib ./quant/eval # published models say nothing of races, slowly

test-qemu: ## the runtime on every board's instruction set; needs qemu-user
	@sh scripts/test-qemu.sh -short

e2e: build ## processes and a real mosquitto; needs mosquitto
	KEDGE_REQUIRE_MOSQUITTO=1 $(GO) test -count=1 ./cmd/e2e/...

ACCEPT_FUZZTIME ?= 2m
accept: build ## the long runs: many kills and seeds, all mutations of models, whole models under qemu, an hour of fuzz
	KEDGE_ACCEPT=1 KEDGE_REQUIRE_MOSQUITTO=1 KEDGE_REQUIRE_SHARED=1 $(GO) test -count=1 -timeout 60m ./cmd/e2e ./agent/... ./trainer/... ./runtime
	KEDGE_ACCEPT=1 KEDGE_INSNS=1 KEDGE_REQUIRE_SHARED=1 $(GO) test -count=1 -timeout 60m ./runtime/runtimetest/insns
	@sh scripts/test-qemu.sh
	@sh scripts/fuzz.sh $(ACCEPT_FUZZTIME)

lint:
	@out=$$(gofmt -l .); [ -z "$$out" ] || { echo "gofmt: $$out"; exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	$(GO) mod tidy -diff

fuzz: ## every fuzz target for FUZZTIME
	@sh scripts/fuzz.sh $(FUZZTIME)

bench: ## times of whole models on this machine, into docs/bench.md
	$(GO) run ./scripts/bench

bench-drift: ## false alarms and delays of drift detectors, into docs/bench-drift.md
	$(GO) run ./scripts/benchdrift

PEERS ?= $(HOME)/.cache/kedge-peers
bench-peers: ## the same beside ONNX Runtime; needs npm, gcc and a network
	npm install --ignore-scripts --no-audit --no-fund --prefix $(PEERS) onnxruntime-node@1.30.0
	cd tools/ortbench && $(GO) build -o $(PEERS)/ortbench .
	$(GO) run ./scripts/bench -peer $(PEERS)/ortbench \
		-lib $(PEERS)/node_modules/onnxruntime-node/bin/napi-v6/linux/$$($(GO) env GOARCH | sed s/amd64/x64/)/libonnxruntime.so.1

insns: ## instructions of an inference on the boards' processors; needs qemu-user and gcc
	$(GO) run ./runtime/runtimetest/insns

insns-update: ## the same, and docs/insns.md takes the results
	$(GO) run ./runtime/runtimetest/insns -update

demo: build ## drift, report, retraining and update, on a simulated pump
	$(BIN)/kedge-trainer demo

clean:
	rm -rf $(BIN) dist
