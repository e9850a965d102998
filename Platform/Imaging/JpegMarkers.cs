namespace Recsys.Imaging;

/// <summary>
/// What a JPEG's markers say about the work it asks for. A progressive JPEG may hold any number of scans, each of which walks over all
/// pixels for a few bytes of file ("Two Issues with the JPEG Standard", libjpeg-turbo 2015): a megabyte can ask for hours.
/// </summary>
internal static class JpegMarkers
{
    /// <summary>Scans of the files that encoders write: 1 to 12; here 8 progressive pictures one after the other would still pass.</summary>
    public const int MostScans = 100;

    private const int MostMarkers = 16_384;

    /// <summary>Counts every marker wherever it stands, also inside metadata: a file cannot hide one by how it is cut into segments.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static string? Fault(ReadOnlySpan<byte> file, out bool progressive)
    {
        progressive = false;
        int scans = 0, markers = 0;
        for (int at = file.IndexOf((byte)0xFF); at >= 0 && at < file.Length - 1;)
        {
            byte marker = file[at + 1];
            progressive |= marker is 0xC2 or 0xC6 or 0xCA or 0xCE && at + 5 < file.Length && file[at + 2] == 0 && file[at + 4] is 8 or 12;
            scans += marker == 0xDA ? 1 : 0;
            markers += marker is >= 0xC0 and not (>= 0xD0 and <= 0xD9) and not 0xFF ? 1 : 0;
            if (scans > MostScans || markers > MostMarkers)
            {
                return $"A JPEG with more than {(scans > MostScans ? $"{MostScans} scans" : $"{MostMarkers:N0} segments")}: decoding would take far longer than its pixels justify.";
            }

            int next = file[(at + 1)..].IndexOf((byte)0xFF);
            at = next < 0 ? -1 : at + 1 + next;
        }

        return null;
    }
}
