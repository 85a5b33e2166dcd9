# Heyan. `make demo` and `make test` are all a newcomer needs; both install what
# is missing, and do nothing twice.
SHELL := /bin/bash

export CGO_CPPFLAGS := -I/usr/include/opencv4
export CGO_CXXFLAGS := --std=c++11
export CGO_LDFLAGS := -lopencv_imgcodecs -lopencv_imgproc -lopencv_core
export GOFLAGS := -buildvcs=false -tags=gocv_specific_modules,customenv
export PATH := $(PATH):$(shell go env GOPATH)/bin

VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unversioned)
VERSITYGW := github.com/versity/versitygw/cmd/versitygw@v1.8.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
EVALSET ?= ../shared/evalset
# bench-peers reads every third picture.
EVERY ?= 3

.PHONY: deps test-deps build demo test lint eval floors eval-quality quality-floors bench bench-engines bench-peers bench-service bench-console bench-organizations samples clean

deps: ## what building and running needs: Debian packages, ONNX Runtime, models
	@command -v go >/dev/null || { echo "deps: go is missing (https://go.dev/dl)" >&2; exit 1; }
	@scripts/packages.sh build run
	@scripts/assets.sh

test-deps: deps ## and what tests need: fonts, Postgres, Redis, an S3 server
	@scripts/packages.sh test
	@command -v versitygw >/dev/null || { echo "test-deps: building versitygw"; GOFLAGS= go install $(VERSITYGW); }

build: ## bin/heyan
	@echo "build: bin/heyan $(VERSION)"
	@go build -ldflags "-X main.version=$(VERSION)" -o bin/heyan ./cmd/heyan

demo: deps build ## the main job on the sample photos: storage, queue, workers, verdicts
	@bin/heyan --quiet demo testdata/samples

# The race detector leaves out synth, which starts no goroutine, and cmd and e2e,
# whose tests drive the built binary.
test: test-deps build lint ## everything a change must pass
	@echo "test: unit, conformance and end-to-end tests"
	@go test -timeout 20m ./...
	@echo "test: race detector"
	@HEYAN_SIMULATED_ORGANIZATIONS=100 go test -race -timeout 20m $$(go list ./... | grep -v -e /synth -e /cmd/ -e /e2e)

lint:
	@echo "lint: gofmt, go vet, staticcheck"
	@unformatted=$$(git ls-files '*.go' | xargs gofmt -l); [ -z "$$unformatted" ] || { echo "not gofmt'd: $$unformatted" >&2; exit 1; }
	@go vet ./...
	@go run $(STATICCHECK) ./...

eval: build ## accuracy on pictures with known truth
	@bin/heyan eval --misses $(EVALSET)/truth.tsv

floors: build ## the accuracy that a change must hold
	@bin/heyan --quiet eval --floors .ci/floors.json --misses $(EVALSET)/truth.tsv

eval-quality: build ## how well pictures are judged: synthetic ones, real ones, and the time of all measures
	@scripts/packages.sh test
	@bin/heyan --quiet eval-quality --misses --save build/quality.jsonl --real $(EVALSET)/truth.tsv
	@echo "all measures of 12 megapixels on one core, target 150 ms:"
	@go test -run '^$$' -bench Measure -cpu 1 ./pipeline | grep ^Benchmark

quality-floors: build ## what of it a change must hold, on a small set
	@bin/heyan --quiet eval-quality --small --set build/quality-small --misses --floors .ci/quality-floors.json

bench: ## speed of the parts
	@go test -run '^$$' -bench . -benchmem $$(go list ./... | grep -v /e2e)

bench-engines: build ## the model sets against each other: accuracy and CPU, one table
	@scripts/packages.sh engines
	@scripts/assets.sh engines
	@scripts/bench-engines.sh $(EVALSET)/truth.tsv

bench-peers: deps build ## Heyan, Tesseract's command line, RapidOCR and @gutenye/ocr-node on the same pictures, one table
	@scripts/packages.sh peers
	@scripts/bench-peers.sh $(EVALSET)/truth.tsv $(EVERY)

bench-service: test-deps ## the service: time to accept and to verdict, overhead, drain, memory, one table
	@scripts/bench-service.sh

bench-console: test-deps ## the reviewer console: time to the queue, to a case and to its picture, one table
	@scripts/bench-console.sh

bench-organizations: test-deps ## a million organizations in the records, batches, and the simulated year of ten thousand, one table
	@scripts/bench-organizations.sh

samples: build ## draws testdata/samples again
	@bin/heyan synth samples testdata/samples

clean:
	@rm -rf bin build
