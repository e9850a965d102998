global using Recsys.Torch;
global using static Recsys.Torch.torch;
