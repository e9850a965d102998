// libtorch's generator is one for the process, and live tensors are counted for the process: one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
