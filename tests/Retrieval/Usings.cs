global using Recsys.Catalog;
global using Recsys.Catalog.Ports;

// Tests count live tensors of the whole process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
