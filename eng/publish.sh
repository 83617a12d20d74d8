#!/bin/sh
# Publishes one executable project as a native binary.
# usage: eng/publish.sh PROJECT_DIRECTORY OUTPUT_FILE
set -eu
project=$1
output=$2
name=$(basename "$output")

eng/need.sh build
framework=$(eng/framework.sh)
mkdir -p out
# Two makes of one tree would write the same obj folders. The lock is not for what dotnet leaves running (9>&- below).
exec 9>out/.lock
flock 9

case $(uname -m) in
    x86_64) runtime=linux-x64 ;;
    aarch64) runtime=linux-arm64 ;;
    *) echo "wherry cannot be built on $(uname -m): only x86_64 and aarch64 are known" >&2; exit 1 ;;
esac
linker=$(command -v clang >/dev/null 2>&1 && echo clang || echo gcc)

echo "publish $name ($framework, $runtime)"
staging=out/publish/$name
rm -rf "$staging"
if ! dotnet publish "$project" -c Release -r "$runtime" -o "$staging" -v quiet -nologo \
    -p:WherryPublishFramework="$framework" -p:CppCompilerAndLinker="$linker" >"out/publish-$name.log" 2>&1 9>&-; then
    cat "out/publish-$name.log" >&2
    exit 1
fi
# What the trimmer or the native compiler warns about fails at run time, on a user's machine.
if grep -E 'warning (IL|CS|MA|CA|IDE|NETSDK|NU)[0-9]+' "out/publish-$name.log" >&2; then
    echo "publish $name: warnings count as errors" >&2
    exit 1
fi
# Replaced by rename: an engine running from out/ keeps its own copy.
mv -f "$staging/$name" "$output"
rm -rf "$staging"
touch "$output"
