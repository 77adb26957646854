#!/usr/bin/env bash
# Makes a folder with Debian's Python for 64-bit Arm, for QEMU to run. Nothing is installed on this machine,
# and apt's own lists stay as they are.
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
