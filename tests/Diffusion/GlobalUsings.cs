global using Recsys.Catalog;
global using Recsys.Torch;
global using static Recsys.Torch.torch;

// Weights are initialised from libtorch's one global generator, and live tensors are counted: one test at a time.
[assembly: Xunit.CollectionBehavior(DisableTestParallelization = true)]
