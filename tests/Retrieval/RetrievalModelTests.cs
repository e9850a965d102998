using Recsys.Retrieval.Legs;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Legs.Transitions;
using Recsys.Retrieval.Tests.Training;
using Recsys.Retrieval.Training;
using Recsys.Torch.Safetensors;

namespace Recsys.Retrieval.Tests;

/// <summary>The model on the disk.</summary>
public sealed class RetrievalModelTests : IDisposable
{
    private static readonly ItemTable Table = Tiny.Table(20, [4, 4], 1);

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Saved_and_loaded_model_gives_the_same_answers()
    {
        var (table, all) = Walks.Make();
        var data = RetrievalTrainingData.From(table, new LeaveOneOut(all), [Tiny.Features(table.Count)]);
        using var recommender = new Recommender(RetrievalTrainer.Train(data, Walks.All(10), 1), table);
        var before = recommender.Recommend(new RecommendQuery([3, 4, 5], 20), default);
        using (var model = RetrievalTrainer.Train(data, Walks.All(10), 1))
        {
            model.Save(_folder.Path);
        }

        using var loaded = new Recommender(RetrievalModel.Load(_folder.Path), table);
        Assert.Equal(RetrievalOptions.LegNames, loaded.LegNames);
        Assert.Equal(Tiny.Text(before), Tiny.Text(loaded.Recommend(new RecommendQuery([3, 4, 5], 20), default)));
    }

    public static TheoryData<string, string?> Damages
    {
        get
        {
            var damages = new TheoryData<string, string?>();
            foreach (string leg in new[] { "", "transitions/", "id/", "content/", "generative/" })
            {
                damages.Add(leg + "config.json", "{}");
                damages.Add(leg + "config.json", "not json");
                damages.Add(leg + "model.safetensors", "short");
                damages.Add(leg + "model.safetensors", null);
            }

            return damages;
        }
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public void Damaged_files_are_named_as_data_loss(string file, string? content)
    {
        Save();
        File.Delete(Path.Combine(_folder.Path, file));
        if (content is not null)
        {
            File.WriteAllText(Path.Combine(_folder.Path, file), content);
        }

        Assert.Contains(file, Refused(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "interactions")]
    [InlineData("transitions", "counts")]
    [InlineData("id", "vectors")]
    [InlineData("content", "encoder.norm.weight")]
    [InlineData("generative", "item_vectors")]
    public void A_leg_without_one_of_its_tensors_is_data_loss(string leg, string tensor)
    {
        Save();
        string file = Path.Combine(_folder.Path, leg, "model.safetensors");
        using (NewDisposeScope())
        {
            var state = SafetensorsFile.Load(file);
            Assert.True(state.Remove(tensor));
            SafetensorsFile.Save(file, state);
        }

        Assert.Contains($"'{tensor[(tensor.IndexOf('.') + 1)..]}' is missing", Refused(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("id", "x")]
    [InlineData("id", "encoder.x")]
    [InlineData("generative", "x")]
    public void A_leg_with_a_tensor_too_many_is_data_loss(string leg, string tensor)
    {
        Save();
        string file = Path.Combine(_folder.Path, leg, "model.safetensors");
        using (NewDisposeScope())
        {
            var state = SafetensorsFile.Load(file);
            state[tensor] = ones(2);
            SafetensorsFile.Save(file, state);
        }

        Assert.Contains("'x'", Refused(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("transitions")]
    [InlineData("id")]
    [InlineData("content")]
    [InlineData("generative")]
    public void A_leg_of_another_training_is_data_loss(string leg)
    {
        Save();
        using (var other = Model(Tiny.Table(21, [4, 4], 1)))
        {
            if (leg == GenerativeLeg.LegName)
            {
                other.Generative!.Save(Path.Combine(_folder.Path, leg));
            }
            else
            {
                other.Legs.Single(one => one.Name == leg).Save(Path.Combine(_folder.Path, leg));
            }
        }

        Assert.Contains("not of one training of 20 items", Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_leg_in_the_folder_of_another_is_data_loss()
    {
        Save();
        using (var content = Tiny.Dense(20, 2, DenseLeg.Content))
        {
            content.Save(Path.Combine(_folder.Path, DenseLeg.Id));
        }

        Assert.Contains("not of one training", Refused(), StringComparison.Ordinal);
    }

    public static TheoryData<long[], int[], int[]> Broken => new()
    {
        { [0, 1, 1], [2], [3, 4] }, // a follower that is no item
        { [0, 2, 1], [0], [3, 4] },
        { [1, 1, 1], [0], [3, 4] },
        { [0, 0, 2], [0], [3, 4] },
        { [0], [], [] },
        { [], [], [3, 4] },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void Rows_of_transitions_that_do_not_fit_are_data_loss(long[] starts, int[] followers, int[] interactions)
    {
        Save();
        using (var leg = new TransitionLeg(
            new TransitionTable(starts, followers, new float[followers.Length], interactions), TransitionReading.Usual, 20))
        {
            leg.Save(Path.Combine(_folder.Path, leg.Name));
        }

        Assert.Contains("do not fit together", Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_of_other_legs_are_data_loss()
    {
        var sum = LegSum.Even([DenseLeg.Id, DenseLeg.Content]);
        using (var model = Tiny.Model(Table, [Tiny.Dense(20, 1)], sum: sum))
        {
            model.Save(_folder.Path);
        }

        Assert.Contains("weights is id, content, allowed is one for each leg", Refused(), StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private void Save()
    {
        using var model = Model(Table);
        model.Save(_folder.Path);
    }

    private static RetrievalModel Model(ItemTable items)
    {
        ILeg[] legs = [Tiny.Transitions(items.Count, 1), Tiny.Dense(items.Count, 1), Tiny.Dense(items.Count, 2, DenseLeg.Content)];
        return Tiny.Model(items, Tiny.Options, legs: legs);
    }

    private string Refused()
    {
        var error = Assert.Throws<CatalogException>(() => RetrievalModel.Load(_folder.Path));
        Assert.Equal(Fault.DataLoss, error.Fault);
        return error.Message;
    }
}
