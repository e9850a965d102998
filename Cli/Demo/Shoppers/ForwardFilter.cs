using System.Numerics.Tensors;
using Recsys.Catalog;

namespace Recsys.Cli.Demo.Shoppers;

/// <summary>
/// The forward algorithm over the hidden persona and theme of <see cref="TasteModel"/>, exact, with its working memory: not for
/// two threads at once. Beliefs lie by theme, personas side by side, so that every step is a few vector operations.
/// </summary>
internal sealed class ForwardFilter
{
    private readonly TasteModel _model;
    private readonly int _personas;
    private readonly double _noise; // of one sticker
    private readonly double[] _free; // [themes]
    private readonly int[] _last; // [themes]
    private readonly double[] _total; // [personas]
    private readonly double[] _prior; // [themes, personas]
    private double[] _belief; // [themes, personas]
    private double[] _next; // [themes, personas]

    public ForwardFilter(TasteModel model)
    {
        (_model, _personas, _noise) = (model, model.Tastes.Length, model.Options.Noise / model.ItemCount);
        int themes = model.Themes.Length;
        (_free, _last, _total) = (new double[themes], new int[themes], new double[_personas]);
        (_prior, _belief, _next) = (new double[themes * _personas], new double[themes * _personas], new double[themes * _personas]);
        for (int persona = 0; persona < _personas; persona++)
        {
            foreach (var (theme, weight) in model.Tastes[persona])
            {
                _prior[(theme * _personas) + persona] += weight / _personas;
            }
        }
    }

    /// <summary>p(x) = Σ_z P(z | history) · p(x | z, history) for every sticker x.</summary>
    public void Predict(ReadOnlySpan<int> history, Span<double> probabilities)
    {
        _prior.CopyTo(_belief, 0);
        Array.Fill(_last, -1);
        for (int step = 0; step < history.Length; step++)
        {
            int item = history[step];
            if ((uint)item >= (uint)_model.ItemCount || history[..step].Contains(item))
            {
                throw CatalogException.Invalid(
                    $"Item {item} at place {step} of a history: outside the catalogue of {_model.ItemCount}, or there before. Simulated "
                    + "shoppers take each item once.");
            }

            Observe(item, history[..step]);
            _last[_model.ThemeOf[item]] = item;
            Move();
        }

        FreeMass(history);
        double anywhere = 0;
        for (int theme = 0; theme < _free.Length; theme++)
        {
            _free[theme] = TensorPrimitives.Sum<double>(Row(_belief, theme)) / _free[theme]; // P(z | history) / Z(z, history)
            anywhere += _free[theme];
        }

        for (int item = 0; item < probabilities.Length; item++)
        {
            probabilities[item] = (_free[_model.ThemeOf[item]] * Within(item)) + (anywhere * _noise);
        }

        foreach (int item in history)
        {
            probabilities[item] = 0;
        }
    }

    private double Within(int item) => (1 - _model.Options.Noise) * _model.WithinTheme(item, _last[_model.ThemeOf[item]]);

    // Z(z, history): what is left of each theme's distribution once the stickers taken are out of it; the divisor of "drawn anew".
    private void FreeMass(ReadOnlySpan<int> taken)
    {
        Array.Fill(_free, 1 - (taken.Length * _noise));
        foreach (int item in taken)
        {
            _free[_model.ThemeOf[item]] -= Within(item);
        }

        for (int theme = 0; theme < _free.Length; theme++)
        {
            // The true value is at least the noise on what is not taken; rounding must not go below it.
            _free[theme] = Math.Max(_free[theme], (_model.ItemCount - taken.Length) * _noise);
        }
    }

    // P(k, z | x, …) ∝ P(k, z | …) · p(x | z, …)
    private void Observe(int item, ReadOnlySpan<int> before)
    {
        FreeMass(before);
        int own = _model.ThemeOf[item];
        double total = 0;
        for (int theme = 0; theme < _free.Length; theme++)
        {
            _free[theme] = ((theme == own ? Within(item) : 0) + _noise) / _free[theme];
            total += _free[theme] * TensorPrimitives.Sum<double>(Row(_belief, theme));
        }

        for (int theme = 0; theme < _free.Length; theme++)
        {
            TensorPrimitives.Multiply<double>(Row(_belief, theme), _free[theme] / total, Row(_belief, theme));
        }
    }

    private void Move()
    {
        double change = _model.Options.Switch, toRelated = change * _model.Options.Related / 2, toTaste = change * (
            1 - _model.Options.Related);
        Array.Clear(_next);
        Array.Clear(_total);
        for (int theme = 0; theme < _free.Length; theme++)
        {
            var mass = Row(_belief, theme);
            TensorPrimitives.Add<double>(_total, mass, _total);
            AddScaled(theme, mass, 1 - change);
            AddScaled(_model.RelatedThemes[theme][0], mass, toRelated);
            AddScaled(_model.RelatedThemes[theme][1], mass, toRelated);
        }

        for (int persona = 0; persona < _personas; persona++)
        {
            foreach (var (theme, weight) in _model.Tastes[persona])
            {
                _next[(theme * _personas) + persona] += toTaste * weight * _total[persona];
            }
        }

        (_belief, _next) = (_next, _belief);
    }

    private void AddScaled(int theme, ReadOnlySpan<double> mass, double factor) =>
        TensorPrimitives.MultiplyAdd<double>(mass, factor, Row(_next, theme), Row(_next, theme));

    private Span<double> Row(double[] table, int theme) => table.AsSpan(theme * _personas, _personas);
}
