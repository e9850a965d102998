await Recsys.Samples.Shop.Shop.Build(args).RunAsync();
