#!/usr/bin/env bash
# Makes a folder with Debian's Python for 64-bit Arm, and in it NumPy and LiteRT as requirements/examples.txt
# pins them, for QEMU to run. Nothing is installed on this machine, and apt's own lists stay as they are.
#
#   tools/aarch64_python.sh FOLDER      then: qemu-aarch64 -L FOLDER FOLDER/usr/bin/python3
set -euo pipefail
cd "$(dirname "$0")/.."
root=$1

stop() {
  echo "aarch64_python: $1" >&2
  exit 1
}

for program in apt-get dpkg-deb; do
  command -v "$program" >/dev/null || stop "needs $program: it takes 64-bit Arm's Python from Debian"
done

rm -rf "$root"
mkdir -p "$root"
root=$(cd "$root" && pwd)

# apt with this machine's sources, but for another architecture, without privileges, and as if nothing
# were installed yet, so that it fetches all that Python needs.
apt=$root/apt
mkdir -p "$apt/lists/partial" "$apt/archives/partial"
touch "$apt/status"
cat >"$apt/apt.conf" <<END
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "";
Acquire::Languages "none";
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
END
export APT_CONFIG=$apt/apt.conf
apt-get -qq update || stop "apt-get cannot read Debian's lists of arm64; its message is above (is the network there?)"
apt-get -qq install --assume-yes --no-install-recommends --download-only python3 libstdc++6 ||
  stop "apt-get cannot fetch python3 and libstdc++6 of arm64; its message is above"
for package in "$apt"/archives/*.deb; do
  dpkg-deb --extract "$package" "$root"
done
rm -rf "$apt"

# LiteRT reads this at its start. QEMU would show it this machine's, of another make, on which it crashes.
mkdir -p "$root/proc"
cat >"$root/proc/cpuinfo" <<'END'
processor	: 0
Features	: fp asimd
CPU implementer	: 0x41
CPU architecture: 8
CPU variant	: 0x0
CPU part	: 0xd03
CPU revision	: 4
END

# Wheels name the oldest glibc that they run with; Debian's is newer than these.
tags=(manylinux_2_28_aarch64 manylinux_2_27_aarch64 manylinux_2_17_aarch64 manylinux2014_aarch64)
version=$(basename "$(readlink "$root/usr/bin/python3")")
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile \
  --target "$root/usr/lib/python3/dist-packages" --only-binary=:all: --python-version "${version#python}" \
  "${tags[@]/#/--platform=}" $(grep -E '^(ai-edge-litert|numpy)==' requirements/examples.txt) ||
  stop "pip cannot fetch LiteRT or NumPy for $version on aarch64; its message is above"
