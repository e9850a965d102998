using static Recsys.Torch.torch;

namespace Recsys.Torch.Modules;

/// <summary>A layer with a trained weight and, perhaps, a bias; assigning either replaces and disposes the old one.</summary>
public abstract class AffineModule : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private Parameter? _weight;

    [ComponentName(Name = "bias")]
    private Parameter? _bias;

    protected AffineModule(string name)
        : base(name)
    {
    }

    public Parameter weight
    {
        get => _weight!;
        set => Swap("weight", ref _weight, value);
    }

    public Parameter? bias
    {
        get => _bias;
        set => Swap("bias", ref _bias, value);
    }

    /// <summary>PyTorch's default for linear and convolution layers: both uniform in ±1/√(fan in), the weight drawn first.</summary>
    internal void ResetUniform()
    {
        nn.init.kaiming_uniform_(weight, Math.Sqrt(5));
        if (bias is not null)
        {
            (long fanIn, _) = nn.init.CalculateFanInAndFanOut(weight);
            double bound = fanIn > 0 ? 1 / Math.Sqrt(fanIn) : 0;
            nn.init.uniform_(bias, -bound, bound);
        }
    }

    internal void ResetToIdentity()
    {
        if (_weight is not null)
        {
            nn.init.ones_(_weight);
        }

        if (_bias is not null)
        {
            nn.init.zeros_(_bias);
        }
    }

    internal static Parameter Empty(long[] shape, Device? device, ScalarType? dtype) => new(empty(shape, dtype: dtype, device: device));

    private void Swap(string name, ref Parameter? field, Parameter? value)
    {
        if (ReferenceEquals(field, value))
        {
            return;
        }

        Parameter? old = field;
        field = value;
        ConditionallyRegisterParameter(name, value);
        old?.Dispose();
    }
}
