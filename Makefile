# The commands of daily work; each is a thin call of CMake, Ninja or a script. See README.md.
BUILD := build
MODEL := $(BUILD)/models/SmolLM2-135M-Instruct.Q4_1.gguf
PROMPT ?= Give me three tips for writing clear code.
.DEFAULT_GOAL := help
.PHONY: help demo check check-heavy build deps format lint clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: deps $(BUILD)/build.ninja $(MODEL) ## install, build, fetch a small model, answer a question
	@echo "== building llmir (the first time takes some minutes)"
	@ninja -C $(BUILD) llmir llmirc
	@echo "== asking: $(PROMPT)"
	@$(BUILD)/bin/llmir run $(MODEL) --chat --prompt "$(PROMPT)" --max-tokens 128 --temperature 0

check: deps-check build $(MODEL) $(BUILD)/venv/done ## build everything and run all tests but the heavy ones
	@LLMIR_MODEL=$(abspath $(MODEL)) LLMIR_BUILD=$(abspath $(BUILD)) scripts/check.sh

check-heavy: deps-check build $(MODEL) $(BUILD)/venv/done ## the measurements that take many minutes
	@LLMIR_MODEL=$(abspath $(MODEL)) LLMIR_BUILD=$(abspath $(BUILD)) $(BUILD)/venv/bin/python -m pytest -q -s test/heavy

build: $(BUILD)/build.ninja ## build everything
	@ninja -C $(BUILD) all llmir_tests

.PHONY: deps-check
deps:
	@scripts/install_deps.sh build
deps-check: deps
	@scripts/install_deps.sh check

$(BUILD)/build.ninja: CMakeLists.txt CMakePresets.json cmake/LlmirBuild.cmake | deps
	@cmake --preset release

$(MODEL): scripts/fetch_model.sh | deps
	@scripts/fetch_model.sh $@

$(BUILD)/venv/done: test/requirements.txt | deps-check
	@scripts/venv.sh $(BUILD)/venv

format: ## format the C++ sources
	@git ls-files '*.cpp' '*.h' | xargs clang-format-22 -i

lint: ## formatting, layers and file sizes
	@git ls-files '*.cpp' '*.h' | xargs clang-format-22 --dry-run --Werror
	@python3 scripts/check_layers.py

clean: ## remove the build folder
	rm -rf $(BUILD)
