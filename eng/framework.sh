#!/bin/sh
# Prints the framework the executables are published for: net10.0 where its native-AOT pack restores from
# the configured package sources, net9.0 otherwise. Asks once; the answer is kept in out/framework.
# WHERRY_FRAMEWORK overrules it.
set -eu
if [ -n "${WHERRY_FRAMEWORK:-}" ]; then echo "$WHERRY_FRAMEWORK"; exit 0; fi
if [ -s out/framework ]; then cat out/framework; exit 0; fi

mkdir -p out
probe=$(mktemp -d)
trap 'rm -rf "$probe"' EXIT
cat >"$probe/probe.csproj" <<'PROJECT'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>net10.0</TargetFramework>
    <OutputType>Exe</OutputType>
    <PublishAot>true</PublishAot>
    <NuGetAudit>false</NuGetAudit>
  </PropertyGroup>
  <ItemGroup><FrameworkReference Include="Microsoft.AspNetCore.App" /></ItemGroup>
</Project>
PROJECT
case $(uname -m) in aarch64) runtime=linux-arm64 ;; *) runtime=linux-x64 ;; esac
if (cd "$probe" && timeout 300 dotnet restore probe.csproj -r "$runtime" -v quiet >/dev/null 2>&1); then
    answer=net10.0
else
    answer=net9.0
    echo "the native-AOT pack of net10.0 does not restore from the configured package sources: publishing for net9.0" >&2
fi
echo "$answer" >out/framework
echo "$answer"
