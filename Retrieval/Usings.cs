global using Recsys.Catalog;
global using Recsys.Catalog.Ports;
global using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives; // its namespace has a Tensor of its own
