#!/usr/bin/env bash
# Sourced by the scripts beside it: a console program over TorchSharp 0.107.0 and libtorch 2.10.0 in a temporary folder.
# run_torchsharp <C# statements>
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

run_torchsharp() {
  cat >"$folder/finding.csproj" <<'X'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
  <ItemGroup>
    <PackageReference Include="TorchSharp" Version="0.107.0" />
    <PackageReference Include="libtorch-cpu-linux-x64" Version="2.10.0" />
  </ItemGroup>
</Project>
X
  printf 'using TorchSharp; using TorchSharp.Modules; using static TorchSharp.torch;\n%s\n' "$1" >"$folder/Program.cs"
  dotnet build "$folder" -c Release -v quiet -nologo -clp:NoSummary >"$folder/build.log" 2>&1 || { cat "$folder/build.log"; exit 2; }
  make_optional "$folder/bin/Release/net10.0/runtimes/linux-x64/native/libLibTorchSharp.so"
  dotnet "$folder/bin/Release/net10.0/finding.dll"
}

# Where the C++ runtime is older than TorchSharp's, its version is marked weak (flag 2), or the library would not load at all.
make_optional() {
  local section entry
  section=$(readelf -V "$1" | sed -nE '/gnu.version_r/,$ s/.*Offset: 0x([0-9a-f]+).*/\1/p' | head -n 1)
  entry=$(readelf -V "$1" | sed -nE 's/^ *(0x)?([0-9a-f]+): *Name: GLIBCXX_3\.4\.32 .*/\2/p' | head -n 1)
  [ -n "$entry" ] && printf '\2' | dd of="$1" bs=1 seek=$((16#$section + 16#$entry + 4)) conv=notrunc status=none
}
