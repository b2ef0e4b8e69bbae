#!/bin/sh
# Runs the runtime's tests under qemu-user on every instruction set of the
# boards, so that they give the same bytes there. Arguments go to go test: -short
# takes fewer samples of the larger models.
set -eu
flags=$*
run() { # name, GOARCH, GOARM, emulator, packages
	command -v "${4%% *}" >/dev/null || { echo "test-qemu: ${4%% *} is not installed; apt-get install qemu-user"; exit 1; }
	echo "test-qemu: $1"
	GOARCH=$2 GOARM=$3 CGO_ENABLED=0 go test -vet=off $flags -exec "$4" "${5:-./runtime/...}"
}
run arm64 arm64 '' 'qemu-aarch64 -cpu cortex-a72'
run 'arm64 with dot products' arm64 '' 'qemu-aarch64 -cpu cortex-a76'
run armv7 arm 7 'qemu-arm -cpu cortex-a7'
run armv6 arm 6 'qemu-arm -cpu arm1176'
run riscv64 riscv64 '' 'qemu-riscv64 -cpu rv64'
# qemu 7.2 does not tell programs that it has vectors.
vectors='qemu-riscv64 -E KEDGE_KERNELS=rvv -cpu rv64,v=true,vext_spec=v1.0,vlen='
run 'riscv64 with vectors' riscv64 '' "${vectors}128"
for bits in 256 512 1024; do
	run "riscv64 with vectors of $bits bits" riscv64 '' "$vectors$bits" ./runtime/kernel
done
