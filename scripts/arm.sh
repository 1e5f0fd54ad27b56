#!/usr/bin/env bash
# Builds the kernels of the integer runtime for aarch64 and runs them under qemu, on processors with i8mm, with sdot alone and
# with neither: each must give the scalar kernels' bits, and all of them the digest that this machine's own kernels give.
# About 1 minute; fetches the cross compiler and qemu-user (Debian) where they are missing.
# Usage: arm.sh [SUDO]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh "${1:-}" gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
build=.build/arm
mkdir -p "$build"
kernels=(Integer_scalar Integer_sdot Integer_i8mm Integer_avx2 Integer_avx512 IntegerKernels IntegerOnlyKernels IntegerRotary
    InstructionSet ThreadPool)

# compile DIR FLAGS...: objects of the kernels and of the comparison, as SwiftPM compiles them.
compile() {
    local dir=$build/$1
    shift
    mkdir -p "$dir"
    for source in "${kernels[@]/#/Sources/CKernels/}" Tests/KernelsAgree/main; do
        clang "$@" -O2 -Wall -Wextra -Werror -ISources/CKernels/include -c "$source.c" -o "$dir/$(basename "$source").o"
    done
}

compile aarch64 --target=aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include
aarch64-linux-gnu-gcc -static "$build"/aarch64/*.o -o "$build/aarch64/agree" -lm -lpthread
compile host
clang "$build"/host/*.o -o "$build/host/agree" -lm -lpthread

digest() { sed -n 's/^digest //p' "$1"; }
echo "== This machine"
"$build/host/agree" | tee "$build/host.txt"
for processor in max cortex-a76 cortex-a53; do
    echo "== aarch64 under qemu: $processor"
    qemu-aarch64 -cpu "$processor" "$build/aarch64/agree" | tee "$build/$processor.txt"
    if [ "$(digest "$build/$processor.txt")" != "$(digest "$build/host.txt")" ]; then
        echo "arm.sh: the scalar kernels give other bits on $processor than here" >&2
        exit 1
    fi
done
grep -q "instruction set 4" "$build/max.txt" && grep -q "instruction set 3" "$build/cortex-a76.txt" ||
    { echo "arm.sh: qemu did not offer i8mm and sdot, so they were not tested" >&2; exit 1; }
