#!/usr/bin/env bash
# FastBertTokenizer 1.2.6 under InvariantGlobalization (no ICU): string.Normalize returns its argument as it is, without an error, so the
# accents of "café" stay. With bert-base-uncased's words that gives [UNK] or other pieces where the model's own tokenizer gives "cafe".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/finding.csproj" <<'X'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings>
    <InvariantGlobalization>true</InvariantGlobalization>
  </PropertyGroup>
  <ItemGroup><PackageReference Include="FastBertTokenizer" Version="1.2.6" /></ItemGroup>
</Project>
X
cat >"$folder/Program.cs" <<'X'
using System.Text;
using FastBertTokenizer;
string[] words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "cafe"];
var tokenizer = new BertTokenizer();
tokenizer.LoadVocabulary(new StringReader(string.Join('\n', words)), convertInputToLowercase: true);
string Tokens(string text) => string.Join(' ', tokenizer.Encode(text).InputIds.ToArray().Select(id => words[id]));
Console.WriteLine($"{"café".Normalize(NormalizationForm.FormD).Length} characters; {Tokens("cafe")}; {Tokens("café")}");
X
dotnet build "$folder" -c Release -v quiet -nologo -clp:NoSummary >"$folder/build.log" 2>&1 || { cat "$folder/build.log"; exit 2; }
seen=$(dotnet "$folder/bin/Release/net10.0/finding.dll")
echo "FastBertTokenizer 1.2.6, invariant: expected 5 characters; [CLS] cafe [SEP]; [CLS] cafe [SEP], seen $seen"
[ "$seen" = "4 characters; [CLS] cafe [SEP]; [CLS] [UNK] [SEP]" ] || { echo "changed"; exit 1; }
echo "as found"
