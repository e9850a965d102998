using Grpc.Core;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.V1;
using VersionInfo = Recsys.V1.VersionInfo;

namespace Recsys.Server.Serving;

/// <summary>Lists versions and moves the pointer to the active one.</summary>
internal sealed class VersionsService(IVersionStore versions, ISemanticIdStore ids, SnapshotHost snapshots) : Versions.VersionsBase
{
    public override async Task<ListVersionsResponse> List(ListVersionsRequest request, ServerCallContext context)
    {
        var response = new ListVersionsResponse
        {
            Active = await ids.ActiveAsync(context.CancellationToken) ?? "", Serving = snapshots.Serving ?? "",
        };
        response.Versions.AddRange(versions.List().Select(Describe));
        return response;
    }

    public override Task<VersionInfo> Describe(DescribeVersionRequest request, ServerCallContext context) =>
        Task.FromResult(Describe(versions.Open(request.Version).Manifest));

    public override async Task<ActivateVersionResponse> Activate(ActivateVersionRequest request, ServerCallContext context)
    {
        string? active = request.Expected.Length > 0 ? request.Expected : await ids.ActiveAsync(context.CancellationToken);
        return await ActivateAsync(active, request.Version, context.CancellationToken);
    }

    public override async Task<ActivateVersionResponse> Rollback(RollbackVersionRequest request, ServerCallContext context)
    {
        string active = await ids.ActiveAsync(context.CancellationToken)
            ?? throw CatalogException.Precondition("No version is active, so there is nothing to roll back from.");
        string previous = versions.List().Select(manifest => manifest.Version).TakeWhile(version => version != active).LastOrDefault()
            ?? throw CatalogException.Precondition($"{active} is the oldest version here; there is nothing to roll back to.");
        return await ActivateAsync(active, previous, context.CancellationToken);
    }

    private async Task<ActivateVersionResponse> ActivateAsync(string? expected, string version, CancellationToken cancel)
    {
        // Opening checks every file: a damaged version is refused before anything moves.
        var folder = versions.Open(version);
        await ids.RecoverAsync(version, folder.Items, versions.Appended(version), cancel);
        if (!await ids.TryActivateAsync(expected, version, cancel))
        {
            throw CatalogException.Precondition(
                $"{version} was not activated: {expected ?? "no version"} is not the active one any more. List the versions and decide "
                + "anew.");
        }

        return new ActivateVersionResponse { Active = version, Previous = expected ?? "" };
    }

    private static VersionInfo Describe(VersionManifest manifest)
    {
        var info = new VersionInfo
        {
            Version = manifest.Version,
            Created = manifest.Created.ToString("O"),
            Dataset = manifest.Description.Dataset,
            Seed = manifest.Description.Seed,
            Items = manifest.Description.Items,
        };
        info.CodebookSizes.AddRange(manifest.Description.CodebookSizes);
        foreach (var (name, value) in manifest.Description.Metrics)
        {
            info.Metrics[name] = value;
        }

        return info;
    }
}
