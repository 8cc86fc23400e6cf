#!/usr/bin/env bash
# checksums.sh FOLDER FILE: writes the SHA-256 of the libraries in FOLDER to the properties FILE, as the loader wants them.
set -euo pipefail
cd "$1"
sha256sum *.so | awk '{ print $2 " = " $1 }' > "$2"
