# livemeter: `make` prints the targets.
GO ?= go
FUZZTIME ?= 30s

.DEFAULT_GOAL := help
.PHONY: help demo test bench lint build engines fuzz clean

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "%-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## a simulated festival through Kafka into ClickHouse, compared with a ledger
	bin/livemeter demo --for 60s

test: ## all tests, on real engines
	$(GO) test -timeout 20m ./...

bench: ## benchmarks of the stages
	$(GO) test -run '^$$' -bench . -benchmem ./pipeline/...

lint: ## gofmt and go vet
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "gofmt would change:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...

build: ## bin/livemeter
	CGO_ENABLED=0 $(GO) build -o bin/livemeter ./cmd/livemeter

engines: build ## fetch the engines that demo and tests need
	bin/livemeter engines

fuzz: ## every fuzz target for FUZZTIME
	@for p in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
		echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

clean: ## remove what make built
	rm -rf bin
