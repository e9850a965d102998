using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Tests.Training;

public class FullSoftmaxLossTests
{
    [Fact]
    public void Value_and_gradients_are_those_of_cross_entropy_through_autograd()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        Tensor Draw(long rows) => randn(rows, 6, generator: generator).requires_grad_(true);
        var (queries, vectors) = (Draw(9), Draw(14));
        var targets = tensor(new long[] { 0, 3, 13, 3, 5, 7, 1, 2, 12 });
        functional.cross_entropy(matmul(queries, vectors.transpose(0, 1)), targets).backward();
        var (queriesGradient, vectorsGradient) = (queries.grad!.clone(), vectors.grad!.clone());
        double expected = functional.cross_entropy(matmul(queries, vectors.transpose(0, 1)), targets).item<float>();
        queries.grad!.zero_();
        vectors.grad!.zero_();

        var (loss, surrogate) = FullSoftmaxLoss.Of(queries, vectors, targets);
        surrogate.backward();

        Assert.Equal(expected, loss.item<float>(), 1e-5);
        Assert.True(allclose(queriesGradient, queries.grad!, 1e-4, 1e-6));
        Assert.True(allclose(vectorsGradient, vectors.grad!, 1e-4, 1e-6));
    }
}
