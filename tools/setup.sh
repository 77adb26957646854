#!/usr/bin/env bash
# Makes .venv and installs pinned requirements; says in one line what is missing.
#
#   tools/setup.sh REQUIREMENTS
set -euo pipefail
cd "$(dirname "$0")/.."

stop() {
  echo "setup: $1" >&2
  exit 1
}

supported() { # supported PYTHON: exists and is of a version we support
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
  if [[ ${PYTHON:-} ]]; then
    supported "$PYTHON" || stop "PYTHON=$PYTHON is not Python 3.11, 3.12 or 3.13, or cannot be run"
    echo "$PYTHON"
    return
  fi
  local candidate
  for candidate in python3.11 python3.12 python3.13 python3; do
    if supported "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  stop "needs Python 3.11, 3.12 or 3.13, found none; name one with: make setup PYTHON=/path/to/python3.11"
}

check_compiler() {
  local compiler=${CXX:-c++}
  command -v "$compiler" >/dev/null ||
    stop "needs a C++17 compiler, found no '$compiler' (Debian: apt-get install g++)"
  echo '#include <thread>' | "$compiler" -std=c++17 -x c++ -fsyntax-only - 2>/dev/null ||
    stop "'$compiler' does not compile C++17 (Debian: apt-get install g++; another one: CXX=...)"
}

make_venv() {
  if supported .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; then
    return
  fi
  local python
  python=$(find_python)
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    stop "'$python' has no venv module (Debian: apt-get install python3-venv)"
  "$python" -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null ||
    stop "'$python' has no header files (Debian: apt-get install python3-dev)"
  echo "setup: making .venv with $("$python" --version)"
  "$python" -m venv --clear .venv
}

check_compiler
make_venv
echo "setup: installing $1 (a few minutes the first time)"
.venv/bin/python -m pip install --disable-pip-version-check -r "$1" ||
  stop "pip could not install $1; its message is above (is the network there?)"
