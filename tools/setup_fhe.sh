#!/usr/bin/env bash
# Makes .venv-fhe for encrypted models: requirements/fhe.txt and the sources of this repository.
set -euo pipefail
cd "$(dirname "$0")/.."

stop() {
  echo "setup-fhe: $1" >&2
  exit 1
}

supported() { # concrete-python has wheels for these
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3.11 python3.12 python3}; do
    if supported "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  stop "needs Python 3.11 or 3.12; name one with: make setup-fhe PYTHON=/path/to/python3.11"
}

if ! { supported .venv-fhe/bin/python && .venv-fhe/bin/python -m pip --version >/dev/null 2>&1; }; then
  python=$(find_python)
  echo "setup-fhe: making .venv-fhe with $("$python" --version)"
  "$python" -m venv --clear .venv-fhe
fi
echo "setup-fhe: installing requirements/fhe.txt (800 MB on disk)"
.venv-fhe/bin/python -m pip install --disable-pip-version-check --quiet --no-deps -r requirements/fhe.txt ||
  stop "pip could not install requirements/fhe.txt; its message is above (is the network there?)"
pwd >"$(.venv-fhe/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/keras_addrnn.pth"
