namespace Recsys.Retrieval;

/// <summary>Loads the retrieval part of a version and answers one query, so that the first request finds everything warm.</summary>
/// <param name="device">Where it decodes: cpu, cuda or cuda:N.</param>
/// <param name="measured">The model that has not seen the validation targets, where a version has both.</param>
/// <param name="arithmetic">As of <see cref="RetrievalModel.Load"/>.</param>
public sealed class RecommenderLoader(
    string device = "cpu", bool measured = false, Arithmetic arithmetic = Arithmetic.Float32) : IVersionPartLoader
{
    public string Name => RetrievalModel.PartName;

    public IVersionPart? Load(VersionFolder folder, ItemTable items)
    {
        if (!folder.Has($"{Name}/{ModelFiles.Config}"))
        {
            return null;
        }

        bool open = !measured && folder.Has($"{RetrievalModel.OpenFolder}/{ModelFiles.Config}");
        var model = RetrievalModel.Load(folder.PathOf(open ? RetrievalModel.OpenFolder : Name), device, arithmetic);
        try
        {
            var recommender = new Recommender(model, items);
            if (items.Count > 0)
            {
                recommender.Recommend(new RecommendQuery([0], 10), CancellationToken.None);
            }

            return recommender;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
