using System.Security.Cryptography;
using System.Text.Json;
using Recsys.Diffusion.Denoisers;

namespace Recsys.Diffusion.Recipes;

/// <summary>
/// A diffusion system as a composition of named parts, plus how it is sampled by default. Stored as JSON beside the weights and
/// validated whole when it is read; its hash names it in every picture.
/// </summary>
public sealed record Recipe
{
    public string Name { get; init; } = "semantic-id-flow";

    /// <summary>rectified-flow, linear or cosine.</summary>
    public string Path { get; init; } = "rectified-flow";

    /// <summary>
    /// velocity, edm, v, eps or x0. A small network that reads 12 channels cannot hand full noise through to its output: predicting
    /// the picture itself gives clean pictures after a few hundred steps, where velocity and edm leave grain (Li and He 2025).
    /// </summary>
    public string Prediction { get; init; } = "x0";

    /// <summary>logit-normal or uniform.</summary>
    public string Times { get; init; } = "logit-normal";

    /// <summary>euler, heun or ddim.</summary>
    public string Solver { get; init; } = "euler";

    /// <summary>linear or leading.</summary>
    public string Grid { get; init; } = "linear";

    /// <summary>identity or space-to-depth.</summary>
    public string Codec { get; init; } = "space-to-depth";

    /// <summary>Whether the denoiser is shown, beside the noisy picture, what pictures of these codes look like on average.</summary>
    public bool Sketch { get; init; } = true;

    public UNetOptions Denoiser { get; init; } = new();

    /// <summary>Probability that training sees no code: 0 to 0.5.</summary>
    public double DropAll { get; init; } = .1;

    /// <summary>Probability, for each level but the first, that training sees only the codes before it: 0 to 0.3.</summary>
    public double DropLevel { get; init; } = .1;

    /// <summary>Solver steps unless a request says otherwise: 1 to 1000.</summary>
    public int SampleSteps { get; init; } = 20;

    /// <summary>Guidance scale unless a request says otherwise: above 0, at most 20.</summary>
    public double Guidance { get; init; } = 1.5;

    /// <summary>First 16 hex digits of the SHA-256 of the recipe's JSON.</summary>
    public string Hash() => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(this, Json.Files)))[..16];

    /// <summary>Notes every part that is unknown or does not go with another, and every value that is out of its range.</summary>
    public void Check(Faults faults)
    {
        const string Section = "creative.recipe.";
        foreach (var (part, name, known) in RecipeParts.Named(this))
        {
            faults.Check(name is not null && known.Contains(name), Section + part, $"'{name}'", string.Join(", ", known));
        }

        bool straight = Path == "rectified-flow";
        faults.Check(
            !straight || Prediction != "eps", Section + "prediction", "'eps' on path 'rectified-flow'",
            "velocity, v or x0: at the path's end the picture's share is 0 and the noise says nothing of it");
        faults.Check(
            straight || Prediction != "velocity", Section + "prediction", $"'velocity' on path '{Path}'",
            "v, eps or x0: eps - x0 is the velocity of the straight path only");
        faults.Check(
            !straight || Grid != "leading", Section + "grid", "'leading' on path 'rectified-flow'",
            "linear: leading counts whole noising steps, which a continuous path has not");
        faults.Range(Section + "drop_all", DropAll, 0, .5);
        faults.Range(Section + "drop_level", DropLevel, 0, .3);
        faults.Range(Section + "sample_steps", SampleSteps, 1, 1000);
        faults.Check(Guidance is > 0 and <= 20, Section + "guidance", Guidance, "above 0 to 20");
        Denoiser.Check(faults);
    }
}
