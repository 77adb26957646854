#!/usr/bin/env bash
# Makes dist/: the source archive and, from it alone, a wheel for each Python that is there, which runs on
# any Linux since glibc 2.17. MACHINE is x86_64, or aarch64: 64-bit Arm.
#
#   [MACHINE=aarch64] tools/wheels.sh [PYTHON...]
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$root/build/wheel

stop() {
  echo "wheel: $1" >&2
  exit 1
}

find_pythons() {
  local version candidate
  for version in 3.11 3.12 3.13; do
    for candidate in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
      if "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; then
        echo "$candidate"
        break
      fi
    done
  done
}

# An environment for building, for each Python.
make_environment() { # make_environment PYTHON FOLDER
  if cmp --silent requirements/wheel.txt "$2/.requirements"; then return; fi
  "$1" -m venv --clear "$2"
  "$2/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements/wheel.txt ||
    stop "pip could not install requirements/wheel.txt; its message is above (is the network there?)"
  cp requirements/wheel.txt "$2/.requirements"
}

pythons=("$@")
((${#pythons[@]})) || mapfile -t pythons < <(find_pythons)
((${#pythons[@]})) || stop "needs Python 3.11, 3.12 or 3.13, found none; name one with: make wheel PYTHONS=..."

machine=${MACHINE:-x86_64}
case $machine in
  x86_64) export WHEEL_KERNELS_CXX=g++ ;;
  aarch64)
    export WHEEL_KERNELS_CXX=aarch64-linux-gnu-g++ _PYTHON_HOST_PLATFORM=linux-aarch64
    cross="-DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64"
    ;;
  *) stop "MACHINE=$machine is neither x86_64 nor aarch64" ;;
esac
command -v "$WHEEL_KERNELS_CXX" >/dev/null ||
  stop "needs $WHEEL_KERNELS_CXX (Debian: apt-get install g++, or g++-aarch64-linux-gnu)"
export WHEEL_TARGET=$machine-linux-gnu.2.17
export CXX=$root/tools/wheel_cxx.sh ZIG_GLOBAL_CACHE_DIR=$work/zig ZIG_LOCAL_CACHE_DIR=$work/zig
# All Pythons share the objects that know no Python.
export KERAS_ADDRNN_REQUIRE_OP=1 KERAS_ADDRNN_BUILD_DIR=$work/cmake_$machine
# Zig's linker writes no list of what it has read. -s: without the names of what is not shown.
options="-DCMAKE_LINK_DEPENDS_USE_LINKER=OFF -DCMAKE_SHARED_LINKER_FLAGS=-s -DCMAKE_MODULE_LINKER_FLAGS=-s"

# What an older list of files names would be packed as well.
rm -rf dist/*.tar.gz dist/*"_$machine.whl" "$work"/source "$work/built" keras_addrnn.egg-info
mkdir -p dist
for python in "${pythons[@]}"; do
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  environment=$work/$version
  make_environment "$python" "$environment"
  # Zig's own cache knows where Zig is: one for all.
  export WHEEL_ZIG_PYTHON=${WHEEL_ZIG_PYTHON:-$environment/bin/python}
  if ! ls dist/*.tar.gz >/dev/null 2>&1; then
    "$environment/bin/python" -c 'from setuptools import build_meta; build_meta.build_sdist("dist")' >/dev/null
    mkdir -p "$work/source"
    tar --extract --strip-components=1 --directory "$work/source" --file dist/*.tar.gz
  fi
  echo "== Python $version, $machine"
  export CMAKE_ARGS="$options ${cross:+$cross -DPYTHON_MODULE_EXTENSION=.cpython-${version/./}-aarch64-linux-gnu.so}"
  rm -f "$KERAS_ADDRNN_BUILD_DIR/CMakeCache.txt" # it remembers the Python before
  PATH=$environment/bin:$PATH "$environment/bin/python" -m pip wheel --quiet --disable-pip-version-check --no-deps \
    --no-build-isolation --wheel-dir "$work/built/$version" "$work/source"
  # TensorFlow's own library is in the process already when ours is loaded.
  PATH=$environment/bin:$PATH auditwheel repair --exclude libtensorflow_framework.so.2 \
    --wheel-dir dist "$work/built/$version"/*.whl
  ls dist/*-"cp${version/./}-manylinux"*"manylinux_2_17_$machine.whl" >/dev/null ||
    stop "the wheel asks for more than glibc 2.17; auditwheel show tells what"
done
ls -l dist
