namespace Recsys.Catalog.Ports;

/// <summary>The pictures of a dataset's items, as encoded bytes (JPEG, PNG…), read on demand. Safe from any thread.</summary>
public interface IImageSource : IDisposable
{
    /// <summary>Whether the item has a picture.</summary>
    bool Has(int item);

    /// <summary>The picture's file content; null where the item has none.</summary>
    /// <exception cref="CatalogException">DataLoss: the archive or file is damaged.</exception>
    byte[]? Read(int item);
}
