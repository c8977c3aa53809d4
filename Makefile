# livemeter: `make` prints the targets.
GO ?= go
FUZZTIME ?= 30s
SEEDS ?= 200
FROM ?= 1

# The checkers run at these versions without being installed, and without touching go.mod.
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.DEFAULT_GOAL := help
.PHONY: help demo test sim mutants chaos race bench bench-stages profile lint golangci build engines fuzz clean

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## a simulated festival through Kafka into ClickHouse, compared with a ledger (DEMO='--rate 5000' for flags of its own)
	bin/livemeter demo --for 60s $(DEMO)

test: ## all tests, on real engines
	$(GO) test -timeout 20m ./...
	$(MAKE) --no-print-directory sim

# The build tag lets simulated time pass while the Kafka client waits for its own locks.
sim: ## the whole pipeline in simulated time with processes killed and suspended, connections broken, SEEDS seeds from FROM
	$(GO) test -tags synctests -timeout 20m ./bench/exact -run '^Test(Simulation|MutantsAreOfTheCode)$$' -seeds $(SEEDS) -from $(FROM)

mutants: ## show that the simulation bites: each broken invariant is noticed within 50 seeds (minutes)
	$(GO) test -tags synctests -timeout 60m -v ./bench/exact -run '^TestMutants$$'

chaos: build ## processes, brokers and ClickHouse killed and suspended under load on three brokers of Apache Kafka, then compared (CHAOS='--for 10m')
	$(GO) build -o bin/chaos ./bench/chaos
	bin/chaos $(CHAOS)

race: ## the pipeline's tests under the race detector, which needs a C compiler
	@if command -v $${CC:-cc} >/dev/null; then CGO_ENABLED=1 $(GO) test -race -short -timeout 15m ./pipeline/... ./bench/exact; \
	else echo "no C compiler: the race detector is left out"; fi

bench: build ## speed on Apache Kafka and ClickHouse beside what is asked, into bench/RESULTS.md (BENCH='--events 500000 --repeats 1' for a quick look)
	$(GO) build -o bin/speed ./bench/speed
	bin/speed --out bench/RESULTS.md $(BENCH)

bench-stages: ## time and allocations of each stage alone
	$(GO) test -run '^$$' -bench . -benchmem ./pipeline/...

profile: build ## CPU and heap profiles of run catching up with a backlog, in bin/profiles
	$(GO) build -o bin/speed ./bench/speed
	bin/speed --only backlog --repeats 1 --events 2000000 --profiles bin/profiles $(BENCH)
	$(GO) tool pprof -top -cum -nodecount 40 bin/livemeter bin/profiles/cpu.prof

lint: ## gofmt, go vet, staticcheck
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "gofmt would change:"; echo "$$out"; exit 1; fi
	$(GO) vet ./... && $(GO) vet -tags synctests ./bench/exact
	$(GO) run $(STATICCHECK) ./... && $(GO) run $(STATICCHECK) -tags synctests ./bench/exact

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
