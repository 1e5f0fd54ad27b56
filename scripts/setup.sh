#!/usr/bin/env bash
# Installs the Debian packages that are missing, after a look at Swift's version: a build that cannot succeed should not start.
# Usage: setup.sh SUDO PACKAGE...   (SUDO is empty for root)
set -euo pipefail
sudo=$1
shift

needed=6.2
if ! command -v swift >/dev/null; then
    echo "Fettle needs Swift $needed or newer, which Debian does not package: see https://www.swift.org/install/linux" >&2
    exit 1
fi
found=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
if [ "$(printf '%s\n%s\n' "$needed" "$found" | sort -V | head -n 1)" != "$needed" ]; then
    echo "Fettle needs Swift $needed or newer, but this is Swift $found: see https://www.swift.org/install/linux" >&2
    exit 1
fi

missing=()
for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ -n "$sudo" ] && ! command -v sudo >/dev/null; then
    echo "These Debian packages are missing: ${missing[*]}. Install them as root and run make again." >&2
    exit 1
fi
echo "Installing ${missing[*]} with apt (under a minute)."
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
