namespace Recsys.Retrieval;

/// <summary>Loads the retrieval part of a version and answers one query, so that the first request finds everything warm.</summary>
/// <param name="device">Where it decodes: cpu, cuda or cuda:N.</param>
public sealed class RecommenderLoader(string device = "cpu") : IVersionPartLoader
{
    public string Name => RetrievalModel.PartName;

    public IVersionPart? Load(VersionFolder folder, ItemTable items)
    {
        if (!folder.Has($"{Name}/{ModelFiles.Config}"))
        {
            return null;
        }

        var model = RetrievalModel.Load(folder.PathOf(Name), device);
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
