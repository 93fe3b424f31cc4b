# The front door. Underneath is CMake; every target installs what it lacks with apt.
BUILD ?= build
CMAKE = cmake -G Ninja -S .

.PHONY: all demo test bench fuzz install format clean deps

all: deps
	@$(CMAKE) -B $(BUILD) -DTESTS=OFF >/dev/null
	@ninja -C $(BUILD) voice-ai

deps:
	@tools/deps.sh build run

demo: all
	@tools/demo.sh $(BUILD)/voice-ai

test:
	@tools/deps.sh build run test
	@tests/run.sh

bench: deps
	@$(CMAKE) -B $(BUILD) -DTESTS=OFF >/dev/null
	@ninja -C $(BUILD)
	@bench/run.sh $(BUILD)

# FUZZ_SECONDS per target, new finds are kept under build-fuzz/corpus.
fuzz:
	@tools/deps.sh build run fuzz
	@tests/fuzz/run.sh

install: all
	@cmake --install $(BUILD)

format:
	@tools/deps.sh format
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf build build-*
