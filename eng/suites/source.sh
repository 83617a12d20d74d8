#!/bin/sh
# Unpacks the upstream source of a Debian source package into a folder, for the tests that it comes with. It is asked of
# the mirrors that this host has configured, in lists of its own: nothing of the host's apt changes.
# usage: eng/suites/source.sh PACKAGE FOLDER (which, where it exists, is left as it is)
set -eu
package=$1
folder=$2
[ ! -d "$folder" ] || exit 0
command -v apt-get >/dev/null 2>&1 || { echo "this host has no apt-get to fetch the source of $package with" >&2; exit 1; }

mkdir -p "$(dirname "$folder")"
work=$(mktemp -d)
trap 'rm -rf "$work" "$folder.new"' EXIT
# apt downloads as its own user where it can.
chmod 755 "$work"
mkdir -p "$work/parts" "$work/lists/partial" "$work/cache/archives/partial" "$work/source"

# The same sources with the word for source packages: each one-line entry, each stanza.
eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
number=0
for file in "$list" "$parts"*.list "$parts"*.sources; do
    [ -f "$file" ] || continue
    number=$((number + 1))
    case $file in
        *.sources) sed 's/^Types:.*/Types: deb-src/' "$file" >"$work/parts/$number.sources" ;;
        *) sed -nE 's/^[[:space:]]*deb(-src)?[[:space:]]/deb-src /p' "$file" | sort -u >"$work/parts/$number.list" ;;
    esac
done

log=$work/log
apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$work/parts" \
        -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" "$@" </dev/null >>"$log" 2>&1
}
# A third-party mirror that does not answer, or has no sources, must not stop us: only the package counts.
apt update || true
if ! (cd "$work/source" && apt source --download-only "$package"); then
    echo "the source of $package could not be fetched:" >&2
    grep -E '^[EW]:' "$log" >&2 || cat "$log" >&2
    exit 1
fi

# What Debian changed lies in another archive, and is about how it builds.
rm -rf "$folder.new"
mkdir "$folder.new"
for archive in "$work"/source/*.orig.tar.* "$work"/source/*.tar.*; do
    case $archive in
        *.asc | *.debian.tar.* | *'*'*) continue ;;
    esac
    tar -xf "$archive" -C "$folder.new" --strip-components=1 --no-same-owner
    break
done
mv "$folder.new" "$folder"
