#!/usr/bin/env bash
# Installs each wheel of dist/ for this processor into a fresh environment with TensorFlow, and uses every
# public function there, away from the source tree. Where PACKAGES names a site-packages folder, TensorFlow
# and the rest come from there, nothing is fetched, and wheels for other Pythons are left out.
#
#   [PACKAGES=FOLDER] tools/test_wheels.sh
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
shopt -s nullglob

stop() {
  echo "test-wheel: $1" >&2
  exit 1
}

wheels=("$root"/dist/*"$(uname -m)".whl)
((${#wheels[@]})) || stop "there is no wheel for $(uname -m) in dist/: make wheel"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
requirements=$(grep -E '^(tensorflow-cpu|keras|numpy|safetensors)==' requirements/examples.txt)
# The package index has no tensorflow-cpu for 64-bit Arm.
[[ $(uname -m) == x86_64 ]] || requirements=${requirements/tensorflow-cpu/tensorflow}
unset PYTHONPATH
cd "$folder"
cp "$root/tests/every_public_function.py" .
for wheel in "${wheels[@]}"; do
  tag=$(basename "$wheel" | cut -d- -f3)
  version=3.${tag#cp3}
  [[ ! ${PACKAGES:-} || $PACKAGES == */python$version/* ]] || continue
  python=$root/build/wheel/$version/bin/python
  [[ -x $python ]] || stop "there is no Python $version for $(basename "$wheel"): make wheel"
  "$python" -m venv --clear "$folder/venv"
  pip=("$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check)
  if [[ ! ${PACKAGES:-} ]]; then
    "${pip[@]}" $requirements
  fi
  begin=$EPOCHREALTIME
  "${pip[@]}" --no-index ${PACKAGES:+--no-deps} "$wheel"
  end=$EPOCHREALTIME
  echo "== $(basename "$wheel"): installed in $(((${end/./} - ${begin/./}) / 1000)) ms"
  if [[ ${PACKAGES:-} ]]; then
    # Last on the path, so that a keras_addrnn over there is not the one that is imported.
    site=$("$folder/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    (cd "$root" && realpath "$PACKAGES") >"$site/packages.pth"
  fi
  mkdir "$folder/written"
  TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" every_public_function.py "$folder/written"
  "$folder/venv/bin/python" -c 'import addrnn; print("used:", addrnn.__file__)' | grep "$folder/venv"
  rm -rf "$folder/venv" "$folder/written"
done
