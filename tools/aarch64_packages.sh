#!/usr/bin/env bash
# Puts packages for 64-bit Arm, and what they need, into a folder for the PYTHONPATH of the Python that
# tools/aarch64_python.sh made. requirements/examples.txt pins them.
#
#   tools/aarch64_packages.sh PYTHON'S_FOLDER FOLDER PACKAGE...
set -euo pipefail
cd "$(dirname "$0")/.."
root=$1
folder=$2
shift 2

pins=()
for package in "$@"; do
  # TensorFlow for this machine is in the package of that name, and not in tensorflow-cpu.
  pin=$(sed -n "s/^tensorflow-cpu==/tensorflow==/; s/^\($package==[^ ]*\).*/\1/p" requirements/examples.txt)
  pins+=("${pin:?requirements/examples.txt does not pin $package}")
done

# Wheels name the oldest glibc that they run with; Debian's is newer than these.
tags=(manylinux_2_28_aarch64 manylinux_2_27_aarch64 manylinux_2_17_aarch64 manylinux2014_aarch64)
version=$(basename "$(readlink "$root/usr/bin/python3")")
rm -rf "$folder"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile \
  --target "$folder" --only-binary=:all: --python-version "${version#python}" \
  "${tags[@]/#/--platform=}" "${pins[@]}" || {
  echo "aarch64_packages: pip cannot fetch $* for $version; its message is above" >&2
  exit 1
}
