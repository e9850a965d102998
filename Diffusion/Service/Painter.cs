using System.Globalization;
using Recsys.Catalog.Ports;
using Recsys.Diffusion.Recipes;
using Recsys.Diffusion.Model;
using Recsys.Imaging;

namespace Recsys.Diffusion.Service;

/// <summary>The creative part of a version: draws pictures from semantic IDs. Thread-safe.</summary>
public sealed class Painter : IVersionPart
{
    /// <summary>Pictures in one forward pass; guidance doubles it. More would only cost memory.</summary>
    internal const int BatchSize = 16;

    private readonly CreativeModel _model;
    private readonly bool _owner;

    /// <param name="model">Disposed with the painter.</param>
    /// <param name="version">Named in every picture.</param>
    public Painter(CreativeModel model, string version)
        : this(model, version, owner: true)
    {
    }

    private Painter(CreativeModel model, string version, bool owner) => (_model, Version, _owner) = (model, version, owner);

    public string Version { get; }

    public CreativeModel Model => _model;

    /// <summary>One PNG for each request, in their order.</summary>
    /// <param name="progress">After each solver step.</param>
    /// <param name="cancel">Honoured within one solver step.</param>
    /// <exception cref="CatalogException">InvalidArgument: an option or a code is out of its range, or nothing is requested.</exception>
    public IReadOnlyList<Painting> Generate(
        IReadOnlyList<PaintRequest> requests, PaintOptions options, IProgress<PaintProgress>? progress = null,
        CancellationToken cancel = default)
    {
        options.Validate();
        if (requests.Count == 0)
        {
            throw CatalogException.Invalid("Generate: no picture is requested; ask for at least one.");
        }

        int steps = options.Steps == 0 ? _model.Recipe.SampleSteps : options.Steps;
        double guidance = options.Guidance == 0 ? _model.Recipe.Guidance : options.Guidance;
        int batches = (requests.Count + BatchSize - 1) / BatchSize, stride = 3 * _model.ImageSize * _model.ImageSize;
        var paintings = new List<Painting>(requests.Count);
        for (int batch = 0; batch < batches; batch++)
        {
            var part = requests.Skip(batch * BatchSize).Take(BatchSize).ToArray();
            int before = batch * steps;
            byte[] pixels = _model.Draw(
                [.. part.Select(r => r.Id)],
                [.. part.Select(r => r.Seed)],
                steps,
                guidance,
                done => progress?.Report(new PaintProgress(before + done, batches * steps)),
                cancel);
            for (int i = 0; i < part.Length; i++)
            {
                var picture = new Picture(_model.ImageSize, _model.ImageSize, pixels.AsSpan(i * stride, stride).ToArray());
                paintings.Add(new Painting(Encode(picture, part[i], options.Size, steps, guidance), part[i].Id, part[i].Seed));
            }
        }

        return paintings;
    }

    /// <summary>Pictures depend on no item table, so this shares everything.</summary>
    public IVersionPart WithItems(ItemTable items) => new Painter(_model, Version, owner: false);

    public void Dispose()
    {
        if (_owner)
        {
            _model.Dispose();
        }
    }

    private byte[] Encode(Picture picture, PaintRequest request, int size, int steps, double guidance) => PngEncoder.Encode(
        size == 0 || size == picture.Width ? picture : ImageResizer.Resize(picture, size, size),
        new Dictionary<string, string>
        {
            ["recipe"] = $"{_model.Recipe.Name}@{_model.Recipe.Hash()}",
            ["version"] = Version,
            ["semantic-id"] = request.Id.ToString(),
            ["seed"] = request.Seed.ToString(CultureInfo.InvariantCulture),
            ["steps"] = steps.ToString(CultureInfo.InvariantCulture),
            ["guidance"] = guidance.ToString("R", CultureInfo.InvariantCulture),
        });
}
