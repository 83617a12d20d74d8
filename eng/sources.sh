#!/bin/sh
# Lists the source files of a project and of every project it refers to, for make's dependency check.
# usage: eng/sources.sh src/Wherry.Cli
set -eu

seen=
visit() {
    case " $seen " in *" $1 "*) return ;; esac
    seen="$seen $1"
    # shellcheck disable=SC2013 # one word per line: project names have no spaces
    for reference in $(sed -n 's/.*<ProjectReference Include="\.\.\/\([^/"]*\)\/.*/\1/p' "src/$1/$1.csproj"); do
        visit "$reference"
    done
}

visit "$(basename "$1")"
for project in $seen; do
    find "src/$project" \( -name bin -o -name obj \) -prune -o -type f -print
done
