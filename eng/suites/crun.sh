#!/bin/sh
# Prepares crun's tests in a folder: Debian's source of it, and the program that its containers run. FOLDER/tests/test_*.py
# run there then, with OCI_RUNTIME=eng/suites/crun/runtime and RUNTIME naming the runtime.
# usage: eng/suites/crun.sh FOLDER
set -eu
folder=$1
eng/suites/source.sh crun "$folder"
[ ! -x "$folder/tests/init" ] || exit 0
# What its configure script would find out about the host, the program does not need.
: >"$folder/config.h"
"${CC:-cc}" -O1 -static -w "-I$folder" -o "$folder/tests/init.new" "$folder/tests/init.c"
mv "$folder/tests/init.new" "$folder/tests/init"
