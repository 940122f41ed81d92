# The commands of daily work; each is a thin call of CMake, Ninja or a script. See README.md.
BUILD := build
DEMO_MODEL := $(BUILD)/models/SmolLM2-135M-Instruct.Q4_1.gguf
MODEL ?= $(DEMO_MODEL)
PROMPT ?= Give me three tips for writing clear code.
.DEFAULT_GOAL := help
.PHONY: help demo check check-heavy conformance bench build coverage deps fuzz format lint docs clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: deps $(BUILD)/build.ninja $(MODEL) ## install, build, fetch a small model, answer a question
	@echo "== building llmir (the first time takes some minutes)"
	@ninja -C $(BUILD) llmir llmirc
	@echo "== asking: $(PROMPT)"
	@$(BUILD)/bin/llmir run $(MODEL) --chat --prompt "$(PROMPT)" --max-tokens 128 --temperature 0

ENVIRONMENT = LLMIR_MODEL=$(abspath $(MODEL)) LLMIR_BUILD=$(abspath $(BUILD))
ifdef T
check: deps-check $(BUILD)/build.ninja $(if $(filter test/e2e/% test/heavy/%,$(T)),$(MODEL) $(BUILD)/venv/done)
	@$(ENVIRONMENT) scripts/check_one.py "$(T)"
else
check: deps-check build $(MODEL) $(BUILD)/venv/done ## build everything and run all tests but the heavy ones (T=PATH: one test)
	@$(ENVIRONMENT) scripts/check.py
endif

check-heavy: deps-check build $(MODEL) $(BUILD)/venv/done ## the measurements that take many minutes
	@$(ENVIRONMENT) $(BUILD)/venv/bin/python -m pytest -q -s test/heavy

FILTER ?= *
conformance: deps-check ## all kernels against the interpreter, on every target that runs here or under qemu (TARGETS=aarch64 FILTER='linear/*')
	@scripts/install_deps.sh conformance
	@cmake --preset release >/dev/null
	@ninja -C $(BUILD) llmir-conformance llmir llmirc
	@printf '%s\n' $(or $(TARGETS),$$($(BUILD)/bin/llmir targets | sed -n 's/^\([a-z0-9-]*\) .*/\1/p')) \
	  | xargs -P $$(nproc) -I{} $(BUILD)/bin/llmir-conformance --quiet --filter '$(FILTER)' --target {}

THREADS ?= $(shell nproc)
PEERS ?= llama_cpp
bench: deps-check $(BUILD)/build.ninja $(MODEL) ## compare speeds with other engines by turns: MODEL=FILE THREADS=N PEERS=llama_cpp
	@ninja -C $(BUILD) llmir llmirc
	@scripts/bench.sh $(BUILD)/bench --model $(MODEL) --threads $(THREADS) --peers "$(PEERS)" --llmir $(BUILD)/bin/llmir --out $(BUILD)/bench

F ?= gguf
MINUTES ?= 5
fuzz: deps-check ## fuzz one parser with sanitizers: F=gguf|safetensors|huggingface_config|gguf_tokenizer|tokenizer_json|chat_template|manifest|llm_text MINUTES=5
	@cmake --preset fuzz
	@ninja -C build-fuzz $(F)_fuzz
	@scripts/fuzz.sh run build-fuzz $(F) $(MINUTES)

coverage: deps-check $(MODEL) $(BUILD)/venv/done ## run all tests in a build that counts: what they reach, and errors that none reaches
	@cmake --preset coverage
	@ninja -C build-coverage all llmir_tests
	@scripts/coverage.py build-coverage $(abspath $(MODEL))

build: $(BUILD)/build.ninja ## build everything
	@ninja -C $(BUILD) all llmir_tests

.PHONY: deps-check
deps:
	@scripts/install_deps.sh build
deps-check: deps
	@scripts/install_deps.sh check

$(BUILD)/build.ninja: CMakeLists.txt CMakePresets.json cmake/LlmirBuild.cmake | deps
	@cmake --preset release

$(DEMO_MODEL): scripts/fetch_model.sh | deps
	@scripts/fetch_model.sh $@

$(BUILD)/venv/done: test/requirements.txt scripts/venv.sh | deps-check
	@scripts/venv.sh $(BUILD)/venv

format: deps-check ## format the C and C++ sources
	@git ls-files '*.cpp' '*.h' '*.c' | xargs clang-format-22 -i

lint: deps-check $(BUILD)/build.ninja ## formatting, layers, file sizes, clang-tidy on what differs from BASE (ALL=1: on everything)
	@python3 scripts/check_layers.py --long
	@LLMIR_BUILD=$(BUILD) ALL=$(ALL) BASE=$(BASE) scripts/lint.sh

docs: $(BUILD)/build.ninja ## write the generated pages: docs/reference/ and the table in README.md
	@ninja -C $(BUILD) llmir
	@LLMIR_BUILD=$(BUILD) scripts/generate_docs.py

clean: ## remove the build folder
	rm -rf $(BUILD) build-*
