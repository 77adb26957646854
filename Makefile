# What a person types; `make` alone lists it. Nothing needs to be activated first.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup setup-fhe demo demo-encrypted test test-fhe test-all test-cc test-backends \
	test-aarch64 test-aarch64-litert test-versions wheel test-wheel test-wheel-aarch64 \
	android-objects fuzz bench bench-core bench-all evidence pictures docs docs-serve lint format clean

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Here a build without the op is an error.
export KERAS_ADDRNN_REQUIRE_OP := 1

# Stamps are written last, so what was interrupted is done again.
# The examples do without what the tests need: PyTorch and JAX are gigabytes.
EXAMPLES := .venv/.examples
REQUIREMENTS := .venv/.requirements
INSTALLED := build/.installed
LIBRARY := addrnn/_lib/libaddrnn_tf.so
CC_SOURCES := $(shell find cc_ops -type f)
CC_FILES := $(shell find $(wildcard cc_ops tests/cc_ops benchmarks/core) \
	-name '*.cc' -o -name '*.h')
PAGES = $(wildcard *.md) $(shell find docs examples benchmarks -name '*.md' -not -path 'benchmarks/results/*')
PYTEST_WORKERS := --numprocesses=auto --maxprocesses=4

help:
	@echo "make setup     .venv with everything pinned, and the op compiled; quick to repeat"
	@echo "make demo      train on handwritten digits, convert, run in LiteRT: a few minutes"
	@echo "make demo-encrypted  digits that a server recognizes without seeing them: a few minutes"
	@echo "               with its set-up; ARGS=--serve for a page to draw on"
	@echo "make test      C++ and Python tests, on every Keras backend, without the slow ones"
	@echo "make test-all  with the slow ones"
	@echo "make setup-fhe .venv-fhe, for encrypted models: concrete-python without PyTorch"
	@echo "make test-fhe  the tests of encrypted models, there"
	@echo "make test-aarch64  the C++ tests, compiled for 64-bit Arm and run in QEMU"
	@echo "make test-aarch64-litert  models in LiteRT for 64-bit Arm, with our delegate, in QEMU"
	@echo "make test-versions  every public function in each TensorFlow and JAX there may be"
	@echo "make wheel     dist/: the source archive, and a wheel for each Python there is;"
	@echo "               PYTHONS=, MACHINE=aarch64"
	@echo "make test-wheel  each wheel in a fresh environment with stock TensorFlow;"
	@echo "               PACKAGES= a folder that has it"
	@echo "make test-wheel-aarch64  the wheel for 64-bit Arm, in QEMU: golden vectors, TensorFlow"
	@echo "make android-objects  the delegate's files compiled for Android, as far as headers are"
	@echo "               there: BIONIC="
	@echo "make fuzz      look for inputs that break the C++ core: FUZZ_SECONDS=60"
	@echo "make bench     speed beside Keras' own layers; bench-core: the kernels beside the"
	@echo "               hardware's limit"
	@echo "make bench-all every time of docs/results: half an hour, on an idle machine"
	@echo "make evidence  the tables and plots of docs/results from the recorded runs;"
	@echo "               ARGS='--run --data-dir DIR' runs what is missing (hours)"
	@echo "make pictures  the drawings and charts of docs/images, from the recorded runs"
	@echo "make docs      the site, in build/site; docs-serve shows it while pages change"
	@echo "make lint      check style, boundaries, types and prose; make format mends the style"
	@echo "make clean     remove what was built; .venv stays"

setup: $(REQUIREMENTS) $(LIBRARY)
	@echo "setup: done"

$(EXAMPLES): requirements/examples.txt tools/setup.sh
	@PYTHON="$(PYTHON)" tools/setup.sh $<
	@touch $@

$(REQUIREMENTS): requirements/dev.txt requirements/docs.txt $(EXAMPLES)
	@PYTHON="$(PYTHON)" tools/setup.sh $<
	@touch $@

$(INSTALLED): $(EXAMPLES) setup.py pyproject.toml addrnn/_version.py
	@echo "setup: compiling the op and installing the package (a minute the first time)"
	@python -m pip install --no-build-isolation --no-deps --editable .
	@touch $@

$(LIBRARY): $(INSTALLED) CMakeLists.txt cmake/tensorflow_stub.cmake $(CC_SOURCES)
	@cmake -DADDRNN_OUTPUT_DIR=$(CURDIR)/addrnn build/cmake >/dev/null
	@cmake --build build/cmake
	@test -s $@ || { echo "setup: CMake built no op; its messages are above" >&2; exit 1; }
	@touch $@

# Encrypted models have an environment of their own: concrete-python and TensorFlow do not go
# together. The sources are on its path by a .pth file, so nothing is built for it, and the two do
# not disturb each other.
FHE := .venv-fhe/.requirements
FHE_PYTHON := .venv-fhe/bin/python
setup-fhe: $(FHE)
	@echo "setup-fhe: done"

$(FHE): requirements/fhe.txt tools/setup_fhe.sh
	@PYTHON="$(PYTHON)" tools/setup_fhe.sh
	@touch $@

test-fhe: SELECT := not slow
test-fhe: $(FHE)
	@$(FHE_PYTHON) -m pytest tests/addrnn/fhe tests/examples/encrypted_digits -m "$(SELECT)" $(ARGS)

demo-encrypted: $(FHE)
	@$(FHE_PYTHON) -W ignore examples/encrypted_digits $(ARGS)

demo: $(LIBRARY)
	@python examples/mnist_demo $(ARGS)

test: SELECT := not slow
test test-all: setup
	@$(MAKE) --no-print-directory test-cc test-backends SELECT="$(SELECT)"
	@pytest $(PYTEST_WORKERS) -m "$(SELECT)"

# Shares the objects of `make setup`.
test-cc: setup
	@if echo '#include <gtest/gtest.h>' | $(CXX) -x c++ -fsyntax-only - 2>/dev/null; then \
	  cmake -DADDRNN_BUILD_TESTS=ON build/cmake >/dev/null; \
	  cmake --build build/cmake --target addrnn_core_test; \
	  ctest --test-dir build/cmake --output-on-failure --progress; \
	else \
	  echo "C++ tests SKIPPED: no GoogleTest (Debian: apt-get install libgtest-dev)"; \
	fi

# needs(PROGRAMS OR FILES, DEBIAN'S PACKAGES): where one is missing, the shell says so and fails.
needs = for it in $(1); do command -v "$$it" >/dev/null || test -e "$$it" || { \
	  echo "$@ needs $$it (Debian: apt-get install $(2))" >&2; exit 1; }; done

# for_aarch64(CMAKE'S OPTIONS, TARGET)
for_aarch64 = cmake -S . -B build/aarch64 -G Ninja --toolchain cmake/aarch64-linux-gnu.cmake \
	  -Wno-deprecated -DADDRNN_BUILD_PYTHON=OFF $(1) >/dev/null; \
	cmake --build build/aarch64 --target $(2)

test-aarch64: $(REQUIREMENTS)
	@$(call needs,aarch64-linux-gnu-g++ qemu-aarch64 /usr/src/googletest,g++-aarch64-linux-gnu qemu-user libgtest-dev)
	@$(call for_aarch64,-DADDRNN_BUILD_TESTS=ON,all)
	@ctest --test-dir build/aarch64 --output-on-failure

AARCH64_PYTHON := build/aarch64-python
$(AARCH64_PYTHON)/.made: tools/aarch64_python.sh
	@tools/aarch64_python.sh $(AARCH64_PYTHON)
	@touch $@

# What each folder of packages holds.
AARCH64_LITERT := build/aarch64-litert
AARCH64_TENSORFLOW := build/aarch64-tensorflow
$(AARCH64_LITERT)/.made: AARCH64_PACKAGES := ai-edge-litert numpy
$(AARCH64_TENSORFLOW)/.made: AARCH64_PACKAGES := tensorflow keras numpy safetensors
$(AARCH64_LITERT)/.made $(AARCH64_TENSORFLOW)/.made: $(AARCH64_PYTHON)/.made \
    tools/aarch64_packages.sh requirements/examples.txt $(EXAMPLES)
	@tools/aarch64_packages.sh $(AARCH64_PYTHON) $(@D) $(AARCH64_PACKAGES)
	@touch $@

# in_aarch64(PYTHONPATH): the command of Python, before its arguments.
in_aarch64 = env PYTHONPATH=$(1) PYTHONDONTWRITEBYTECODE=1 qemu-aarch64 -L $(AARCH64_PYTHON) \
	  $(AARCH64_PYTHON)/usr/bin/python3

test-aarch64-litert: setup $(AARCH64_LITERT)/.made
	@$(call needs,aarch64-linux-gnu-g++ qemu-aarch64,g++-aarch64-linux-gnu qemu-user)
	@$(call for_aarch64,,addrnn_delegate)
	@ADDRNN_AARCH64_PYTHON="$(call in_aarch64,$(AARCH64_LITERT))" \
	  pytest tests/keras_addrnn/lite/test_aarch64.py tests/addrnn/lite/test_aarch64_integer.py

test-versions: setup
	@pytest tests/test_tensorflow_versions.py tests/test_jax_versions.py $(ARGS)

wheel:
	@MACHINE="$(MACHINE)" tools/wheels.sh $(PYTHONS)

test-wheel:
	@PACKAGES="$(PACKAGES)" tools/test_wheels.sh

# The golden vectors, in Debian's Python for 64-bit Arm; then the public functions that start no process,
# in TensorFlow for it.
AARCH64_WHEEL := build/aarch64-wheel
test-wheel-aarch64: $(AARCH64_LITERT)/.made $(AARCH64_TENSORFLOW)/.made
	@$(call needs,qemu-aarch64,qemu-user)
	@rm -rf $(AARCH64_WHEEL)
	@python -m zipfile --extract dist/*-cp311-*_aarch64.whl $(AARCH64_WHEEL) || { \
	  echo "test-wheel-aarch64 needs a wheel: make wheel MACHINE=aarch64 PYTHONS=python3.11" >&2; \
	  exit 1; }
	@$(call in_aarch64,$(AARCH64_WHEEL):$(AARCH64_LITERT):.) -P tests/golden_in_wheel.py
	@TF_CPP_MIN_LOG_LEVEL=3 $(call in_aarch64,$(AARCH64_WHEEL):$(AARCH64_TENSORFLOW):.) -P \
	  -m tests.every_public_function $(AARCH64_WHEEL) --one-process

android-objects:
	@tools/android_objects.sh $(BIONIC)

# The instruction sets and the targets share the seconds, and the sets what they find of interest.
# One that the machine does not have is not obeyed: its share goes to the best.
FUZZ_SECONDS := 60
FUZZ_TARGETS := add_gru min_add_gru integer
FUZZ_CXX := clang++
FUZZ_FLAGS := -max_len=128 -len_control=0 -print_final_stats=1 -print_funcs=0 -verbosity=0 \
	-artifact_prefix=build/fuzz/
fuzz: $(REQUIREMENTS)
	@if ! echo 'extern "C" int LLVMFuzzerTestOneInput(const char*, long) { return 0; }' | \
	    $(FUZZ_CXX) -fsanitize=fuzzer,address,undefined -x c++ - -o /dev/null; then \
	  echo "fuzz needs libFuzzer (Debian 12: apt-get install clang libclang-rt-14-dev)" >&2; \
	  exit 1; fi
	@cmake -S . -B build/fuzz -G Ninja -DCMAKE_CXX_COMPILER=$(FUZZ_CXX) -DCMAKE_BUILD_TYPE=Debug \
	  -DCMAKE_CXX_FLAGS_DEBUG=-O1 -DADDRNN_BUILD_PYTHON=OFF -DADDRNN_BUILD_FUZZER=ON >/dev/null
	@cmake --build build/fuzz
	@for isa in baseline avx2 avx512; do \
	  export KERAS_ADDRNN_ISA=$$isa; \
	  for target in $(FUZZ_TARGETS); do \
	    echo "== $$target, $$isa"; \
	    mkdir -p build/fuzz/corpus_$$target; \
	    build/fuzz/addrnn_$${target}_fuzz \
	      -max_total_time=$$(( ($(FUZZ_SECONDS) + 8) / 9 )) $(FUZZ_FLAGS) build/fuzz/corpus_$$target; \
	  done; \
	done

test-backends: setup
	@for backend in jax torch; do \
	  echo "== Keras on $$backend"; \
	  KERAS_BACKEND=$$backend pytest -q $(PYTEST_WORKERS) \
	    -m "backend_neutral$(if $(SELECT), and $(SELECT))"; \
	done

bench: setup
	@python -m benchmarks.layers $(ARGS)

bench-core: setup
	@if echo '#include <benchmark/benchmark.h>' | $(CXX) -x c++ -fsyntax-only - 2>/dev/null; then \
	  cmake -DADDRNN_BUILD_BENCHMARKS=ON build/cmake >/dev/null; \
	  cmake --build build/cmake --target addrnn_core_benchmark addrnn_gate_benchmark; \
	  build/cmake/addrnn_core_benchmark $(ARGS); \
	  build/cmake/addrnn_gate_benchmark $(ARGS); \
	else \
	  echo "bench-core needs Google Benchmark (Debian: apt-get install libbenchmark-dev)" >&2; \
	  exit 1; \
	fi

bench-all: setup
	@python -m pip install --quiet -r requirements/bench.txt
	@tools/bench_all.sh

evidence: setup
	@python -m benchmarks.paper_experiments $(ARGS)

pictures: setup
	@python -m benchmarks.pictures

docs: $(REQUIREMENTS)
	@NO_MKDOCS_2_WARNING=1 mkdocs build --strict

docs-serve: $(REQUIREMENTS)
	@NO_MKDOCS_2_WARNING=1 mkdocs serve --strict

lint: $(REQUIREMENTS)
	@ruff check .
	@ruff format --check .
	@lint-imports --no-logo
	@mypy
	@clang-format --dry-run -Werror $(CC_FILES)
	@proselint check $(PAGES)
	@codespell --dictionary=- --dictionary=tools/words.txt --builtin=clear,rare,en-GB_to_en-US \
	  $(PAGES) addrnn keras_addrnn keras_addrnn_cli tools

format: $(REQUIREMENTS)
	@ruff check --fix .
	@ruff format .
	@clang-format -i $(CC_FILES)

clean:
	@rm -rf build dist *.egg-info addrnn/_lib addrnn/*.so \
	  .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	@rm -f bazel-*
	@find . -name __pycache__ -not -path './.venv*/*' -prune -exec rm -rf {} +
