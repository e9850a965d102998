#!/usr/bin/env bash
# TorchSharp 0.107.0, libLibTorchSharp.so: the only symbol of version GLIBCXX_3.4.32 that it names is an initialiser of <iostream>,
# which GCC 13 emits for every file that includes it. Debian 12 (libstdc++ 3.4.30) therefore refuses to load the library.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/finding.csproj" <<'X'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup><PackageReference Include="TorchSharp" Version="0.107.0" /></ItemGroup>
</Project>
X
dotnet restore "$folder" --packages "$folder/packages" -v quiet >"$folder/restore.log" 2>&1 || { cat "$folder/restore.log"; exit 2; }
library=$folder/packages/torchsharp/0.107.0/runtimes/linux-x64/native/libLibTorchSharp.so
symbols=$(readelf --dyn-syms -W "$library" | grep -o '[^ ]*@GLIBCXX_3\.4\.32' | sort -u)
echo "TorchSharp 0.107.0: symbols of GLIBCXX_3.4.32: ${symbols:-none}"
[ "$symbols" = "_ZSt21ios_base_library_initv@GLIBCXX_3.4.32" ] || { echo "changed"; exit 1; }
echo "as found: one symbol"
