#!/usr/bin/env bash
# The C++ compiler of wheels; tools/wheels.sh sets the variables. GCC compiles the kernels, as in any other
# build, so that they are as fast; they call no library. Zig compiles and links the rest: it has the symbols
# of an old glibc, and puts its C++ library into each of ours.
set -euo pipefail
links=yes
for argument in "$@"; do
  case $argument in
    */cc_ops/core/kernels/*.cc) exec "$WHEEL_KERNELS_CXX" "$@" ;;
    -c | -E | -S) links= ;;
  esac
done
# Zig's own runtime library cannot tell what the processor has; GCC's can.
exec "$WHEEL_ZIG_PYTHON" -m ziglang c++ -target "$WHEEL_TARGET" "$@" \
  ${links:+"$("$WHEEL_KERNELS_CXX" -print-libgcc-file-name)"}
