// Weights are initialised from libtorch's one global generator, and live tensors are counted: one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
