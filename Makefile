# The front door. Underneath is CMake; every target installs what it lacks with apt.
BUILD ?= build
PREFIX ?= /usr/local
CMAKE = cmake -G Ninja -S .

.PHONY: all demo test bench fuzz install format clean deps

all: deps
	@$(CMAKE) -B $(BUILD) -DTESTS=OFF >/dev/null
	@ninja -C $(BUILD) voice-ai

# DESTDIR and PREFIX as usual. Installs the program, the library voice-ai-esl, man pages, completion.
install: all
	@ninja -C $(BUILD) voice-ai-esl voice-ai-esl-static
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD) --prefix $(PREFIX)

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

format:
	@tools/deps.sh format
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf build build-*
