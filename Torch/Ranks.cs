namespace Recsys.Torch;

/// <summary>
/// The processes that train one model together. Each has the whole model and takes a share of every batch; sums over all ranks keep the
/// models alike, bit by bit. Every rank calls the same methods in the same order. Alone, all of them do nothing.
/// </summary>
/// <param name="rank">This process, from 0.</param>
/// <param name="size">Processes.</param>
/// <param name="sumFloats">Adds up n float32 at an address over all ranks, in place.</param>
/// <param name="sumDoubles">The same for float64.</param>
/// <param name="broadcast">Gives rank 0's n bytes at an address to all.</param>
/// <param name="barrier">Waits for all ranks.</param>
public sealed class Ranks(
    int rank, int size, Action<nint, long> sumFloats, Action<nint, long> sumDoubles, Action<nint, long> broadcast, Action barrier)
{
    /// <summary>One process.</summary>
    public static Ranks Alone { get; } = new(0, 1, (_, _) => { }, (_, _) => { }, (_, _) => { }, () => { });

    public int Size => size;

    /// <summary>Rank 0: it alone writes files and reports.</summary>
    public bool First => rank == 0;

    /// <summary>This rank's run of n rows; the shares differ by one row at most and may be empty.</summary>
    public (long From, long Count) Share(long n)
    {
        long from = n * rank / size;
        return (from, (n * (rank + 1) / size) - from);
    }

    /// <summary>This rank's rows: a view.</summary>
    /// <param name="x">[n, …]</param>
    public Tensor Share(Tensor x)
    {
        var (from, count) = Share(x.size(0));
        return size == 1 ? x : x.narrow(0, from, count);
    }

    /// <summary>Adds up over all ranks, in place.</summary>
    /// <param name="x">float32 or float64.</param>
    /// <returns><paramref name="x"/></returns>
    /// <exception cref="TorchException">Another element type.</exception>
    public Tensor Sum(Tensor x) => OnHost(x, host =>
    {
        var sum = host.dtype switch
        {
            ScalarType.Float32 => sumFloats,
            ScalarType.Float64 => sumDoubles,
            _ => throw new TorchException($"Ranks add up Float32 and Float64; this tensor is {host.dtype}. Convert it first."),
        };
        sum(host.Address(), host.numel());
    });

    /// <summary>A number added up over all ranks.</summary>
    public double Sum(double x)
    {
        if (size == 1)
        {
            return x;
        }

        using var cell = full(1, x, ScalarType.Float64);
        return Sum(cell).item<double>();
    }

    /// <summary>Adds up the gradients over all ranks in one flat bucket. The same parameters must have one on every rank.</summary>
    public void SumGradients(IEnumerable<Parameter> parameters)
    {
        if (size == 1)
        {
            return;
        }

        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var gradients = parameters.Select(parameter => parameter.grad).OfType<Tensor>().ToList();
        var bucket = Sum(cat([.. gradients.Select(gradient => gradient.reshape(-1))]));
        long at = 0;
        foreach (var gradient in gradients)
        {
            gradient.copy_(bucket.narrow(0, at, gradient.numel()).view_as(gradient));
            at += gradient.numel();
        }
    }

    /// <summary>Gives rank 0's values to all: before a training, after what only one rank can do.</summary>
    public void Broadcast(params IEnumerable<Tensor> tensors)
    {
        foreach (var tensor in size == 1 ? [] : tensors)
        {
            OnHost(tensor, host => broadcast(host.Address(), host.numel() * host.element_size()));
        }
    }

    /// <summary>Gives rank 0's text to all.</summary>
    /// <param name="text">Below 256 bytes of UTF-8; null where there is none, and on the other ranks.</param>
    public string? Broadcast(string? text)
    {
        var bytes = new byte[256];
        bytes[0] = (byte)System.Text.Encoding.UTF8.GetBytes(text ?? "", bytes.AsSpan(1));
        using var cells = tensor(bytes);
        Broadcast([cells]);
        bytes = cells.data<byte>().ToArray();
        return bytes[0] == 0 ? null : System.Text.Encoding.UTF8.GetString(bytes, 1, bytes[0]);
    }

    /// <summary>All ranks must have one and the same number, or none goes on.</summary>
    /// <exception cref="TorchException">They have not; on every rank.</exception>
    public void CheckAlike(double value, string what)
    {
        if (Sum(Sum(value) == value * size ? 0.0 : 1.0) > 0)
        {
            throw new TorchException(
                $"The ranks differ in {what}: rank {rank} has {value}. Give all of them the same data, options and file system.");
        }
    }

    /// <summary>Rank 0 runs it before the others: what it writes, they find.</summary>
    public T FirstBeforeOthers<T>(Func<T> run)
    {
        if (First)
        {
            var result = run();
            barrier();
            return result;
        }

        barrier();
        return run();
    }

    private Tensor OnHost(Tensor x, Action<Tensor> call)
    {
        if (size == 1)
        {
            return x;
        }

        using var _ = no_grad();
        using var host = x.detach().cpu().contiguous(); // x's own memory where it is dense and on a CPU
        call(host);
        x.detach().copy_(host);
        return x;
    }
}
