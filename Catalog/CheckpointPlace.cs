namespace Recsys.Catalog;

/// <summary>Where a training keeps its state, so that it can go on after it was stopped.</summary>
/// <param name="Path">The file.</param>
/// <param name="Every">Time between two writes; zero: after each step.</param>
public sealed record CheckpointPlace(string Path, TimeSpan Every);
