// The default random generator is one for the whole process: a test that seeds it must not run beside another that draws from it.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
