# livemeter: `make` prints the targets.
GO ?= go
FUZZTIME ?= 30s

# The checkers run at these versions without being installed, and without touching go.mod.
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.DEFAULT_GOAL := help
.PHONY: help demo test bench lint golangci build engines fuzz clean

help:
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## a simulated festival through Kafka into ClickHouse, compared with a ledger
	bin/livemeter demo --for 60s

test: ## all tests, on real engines
	$(GO) test -timeout 20m ./...

bench: ## benchmarks of the stages
	$(GO) test -run '^$$' -bench . -benchmem ./pipeline/...

lint: ## gofmt, go vet, staticcheck
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "gofmt would change:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

golangci: # what .golangci.yml asks for beyond that; building it takes minutes
	$(GO) run $(GOLANGCI) run ./...

build: ## bin/livemeter
	CGO_ENABLED=0 $(GO) build -o bin/livemeter ./cmd/livemeter

engines: build ## fetch the engines that demo and tests need
	bin/livemeter engines

fuzz: ## every fuzz target for FUZZTIME
	@for p in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
		echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

clean: ## remove what make built
	rm -rf bin
