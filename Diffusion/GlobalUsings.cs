global using Recsys.Catalog;
global using Recsys.Torch;
global using Recsys.Torch.Modules;
global using static Recsys.Torch.torch;
