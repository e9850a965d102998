using System.Reflection;

namespace Recsys.Tests;

/// <summary>Tensors that modules hold in fields of their own, beside what is registered.</summary>
public static class ModuleFields
{
    /// <summary>Refuses a module that left a tensor behind when it moved to the meta device, which holds shapes and no numbers.</summary>
    public static void AreAllOnMeta(TorchSharp.torch.nn.Module module)
    {
        foreach (var part in module.modules().Append(module))
        {
            var tensors = part.GetType().GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)
                .Where(field => typeof(TorchSharp.torch.Tensor).IsAssignableFrom(field.FieldType))
                .Select(field => ($"{part.GetName()}.{field.Name}", (TorchSharp.torch.Tensor?)field.GetValue(part)))
                .Concat(part.named_parameters(false).Select(parameter => (parameter.name, (TorchSharp.torch.Tensor?)parameter.parameter)))
                .Concat(part.named_buffers(false).Select(buffer => (buffer.name, (TorchSharp.torch.Tensor?)buffer.buffer)));
            foreach (var (name, tensor) in tensors.Where(field => field.Item2 is not null))
            {
                Assert.False(tensor!.IsInvalid, $"{name} was left behind");
                Assert.True(tensor.device.type == TorchSharp.DeviceType.META, $"{name} is on {tensor.device}");
            }
        }
    }
}
