#!/usr/bin/env bash
# What Maven runs after JavaCPP: takes over new JNI sources, builds the libraries (build.sh), and writes down their SHA-256, which the loader demands.
#
#   METAPLAST_GLUE         folder of the JNI sources in use; the newly written ones lie in <METAPLAST_GLUE>.new
#   METAPLAST_CHECKSUMS    properties file to write: <library file> = <SHA-256>
# and the variables of build.sh.
set -euo pipefail

# JavaCPP writes the functions of a class in the order in which the JVM lists its methods, which differs from run to run. In order of their names they are
# the same text every time: the same libraries come out, and an unchanged build compiles nothing.
in_order() {
  awk '
    inside || /^JNIEXPORT .* Java_.*[{]$/ {
      text = text $0 "\001"
      inside = $0 != "}"
      if (!inside) { function_text[functions++] = text; text = "" }
      next
    }
    { other[others++] = $0 }
    END {
      # The functions go to the end of the block that ends the file.
      last = others - 1
      while (last >= 0 && other[last] != "}") last--
      for (i = 0; i < last; i++) print other[i]
      fflush()
      sort = "LC_ALL=C sort | tr \"\\001\" \"\\n\""
      for (i = 0; i < functions; i++) print function_text[i] | sort
      close(sort)
      print "}"
    }' "$1"
}

mkdir -p "$METAPLAST_GLUE"
for new in "$METAPLAST_GLUE.new"/*.cpp; do
  current=$METAPLAST_GLUE/$(basename "$new")
  in_order "$new" > "$current.sorted"
  if cmp -s "$current.sorted" "$current"; then
    rm "$current.sorted"
  else
    mv "$current.sorted" "$current"
  fi
done

"$BASH" "$(dirname "${BASH_SOURCE[0]}")/build.sh"

mkdir -p "$(dirname "$METAPLAST_CHECKSUMS")"
for library in "$METAPLAST_OUT"/*.so; do
  if [ -e "$library" ]; then
    hash=$(sha256sum "$library")
    echo "$(basename "$library") = ${hash%% *}"
  fi
done > "$METAPLAST_CHECKSUMS"
