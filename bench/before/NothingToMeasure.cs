System.Console.Error.WriteLine("Built without an earlier build to measure: dotnet build bench/before -p:Before=CLONE.");
return 2;
