using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Tests.Training;

public class FullSoftmaxLossTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Value_and_gradients_are_those_of_cross_entropy_through_autograd(bool some)
    {
        // With some cells that are no candidates, one of them twice.
        var (rows, items) = (tensor(new long[] { 0, 0, 4, 8, 8, 0 }), tensor(new long[] { 1, 2, 13, 0, 11, 1 }));
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        Tensor Draw(long rows) => randn(rows, 6, generator: generator).requires_grad_(true);
        var (queries, vectors) = (Draw(9), Draw(14));
        var targets = tensor(new long[] { 0, 3, 13, 3, 5, 7, 1, 2, 12 });
        Tensor Expected()
        {
            var without = zeros(9, 14);
            without.index_put_(tensor(float.NegativeInfinity), TensorIndex.Tensor(rows), TensorIndex.Tensor(items));
            var logits = matmul(queries, vectors.transpose(0, 1));
            return functional.cross_entropy(some ? logits + without : logits, targets);
        }

        Expected().backward();
        var (queriesGradient, vectorsGradient) = (queries.grad!.clone(), vectors.grad!.clone());
        double expected = Expected().item<float>();
        queries.grad!.zero_();
        vectors.grad!.zero_();

        var (loss, surrogate) = FullSoftmaxLoss.Of(queries, vectors, targets, without: some ? (rows, items) : null);
        surrogate.backward();

        Assert.Equal(expected, loss.item<float>(), 1e-5);
        Assert.True(allclose(queriesGradient, queries.grad!, 1e-4, 1e-6));
        Assert.True(allclose(vectorsGradient, vectors.grad!, 1e-4, 1e-6));
    }
}
