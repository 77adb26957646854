#!/usr/bin/env bash
# Compiles what the LiteRT delegate is made of for Android on 64-bit Arm, to objects in build/android. Nothing
# is linked or run. The kernels include no header of a library; for the other files name a folder with
# bionic's sources (AOSP's platform/bionic, the part libc/), and have libc++'s headers: libc++-14-dev on
# Debian 12. Whoever has Android's NDK needs none of this: docs/how-to/android.md.
#
#   tools/android_objects.sh [BIONIC]
set -euo pipefail
cd "$(dirname "$0")/.."
bionic=${1:-}

stop() {
  echo "android_objects: $1" >&2
  exit 1
}

command -v clang++ >/dev/null || stop "needs clang++ (Debian: apt-get install clang)"
clang=(clang++ --target=aarch64-linux-android26 -std=c++17 -O3 -DNDEBUG -fPIC -fvisibility=hidden
  -fvisibility-inlines-hidden -ffp-contract=fast -Wall -Wextra -Werror -DADDRNN_HAVE_NEON -I. -nostdinc)
own=$(clang++ -print-resource-dir)/include

files=(cc_ops/core/kernels/*.cc)
if [[ $bionic ]]; then
  libc=$bionic/libc
  [[ -e $libc/include/pthread.h ]] || stop "$bionic is not bionic: it has no libc/include/pthread.h"
  cxx=$(find /usr/lib/llvm-*/include/c++/v1 /usr/include/c++/v1 -name charconv 2>/dev/null | head -n 1)
  [[ $cxx ]] || stop "finds no headers of libc++ (Debian 12: apt-get install libc++-14-dev)"
  clang+=(-isystem "$(dirname "$cxx")")
  for folder in include kernel/uapi kernel/uapi/asm-arm64 kernel/android/uapi; do
    clang+=(-isystem "$libc/$folder")
  done
  files=(cc_ops/core/*.cc cc_ops/core/kernels/*.cc cc_ops/lite/*.cc)
fi

mkdir -p build/android
for file in "${files[@]}"; do
  object=build/android/$(basename "$file" .cc).o
  isa=()
  [[ $file != cc_ops/core/kernels/* ]] || isa=(-DADDRNN_ISA=neon)
  "${clang[@]}" "${isa[@]}" -isystem "$own" -c "$file" -o "$object"
  echo "$object"
done
all=(cc_ops/core/*.cc cc_ops/core/kernels/*.cc cc_ops/lite/*.cc)
echo "compiled ${#files[@]} of ${#all[@]} files for aarch64-linux-android, linked nothing, ran nothing"
