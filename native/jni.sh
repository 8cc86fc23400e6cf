#!/usr/bin/env bash
# What Maven runs after JavaCPP: takes over new JNI sources, builds the libraries (build.sh), and writes down their SHA-256, which the loader demands.
#
#   METAPLAST_GLUE         folder of the JNI sources in use; the newly written ones lie in <METAPLAST_GLUE>.new
#   METAPLAST_CHECKSUMS    properties file to write: <library file> = <SHA-256>
# and the variables of build.sh.
set -euo pipefail

# Only sources that changed are replaced, so that an unchanged build compiles nothing.
mkdir -p "$METAPLAST_GLUE"
for new in "$METAPLAST_GLUE.new"/*.cpp; do
  current=$METAPLAST_GLUE/$(basename "$new")
  cmp -s "$new" "$current" || cp "$new" "$current"
done

"$BASH" "$(dirname "${BASH_SOURCE[0]}")/build.sh"

mkdir -p "$(dirname "$METAPLAST_CHECKSUMS")"
for library in "$METAPLAST_OUT"/*.so; do
  if [ -e "$library" ]; then
    hash=$(sha256sum "$library")
    echo "$(basename "$library") = ${hash%% *}"
  fi
done > "$METAPLAST_CHECKSUMS"
