using System;
using System.IO;
using Microsoft.Build.Framework;

namespace Recsys.Build;

/// <summary>
/// TorchSharp 0.107 hands native memory to libtorch without keeping its owner alive during the call: the number 1 in a + b, made for the
/// one call, may be collected by another thread's garbage collection while libtorch still reads it, and the sum is another (or the call
/// fails). Where the compiler does not optimise, a method's arguments live until it returns. So the copy beside the program is marked as
/// not to be optimised: its methods only forward.
/// </summary>
public sealed class UnoptimisedWrappers : Microsoft.Build.Utilities.Task
{
    // The value of DebuggableAttribute in the assembly's blobs: its length, a prolog, the modes, no named arguments.
    private static readonly byte[] Optimised = [8, 1, 0, 2, 0, 0, 0, 0, 0], Unoptimised = [8, 1, 0, 3, 1, 0, 0, 0, 0];

    /// <summary>The package's own file; it stays as it is.</summary>
    [Required]
    public string Library { get; set; } = "";

    /// <summary>Where the marked copy is written.</summary>
    [Required]
    public string Marked { get; set; } = "";

    public override bool Execute()
    {
        var bytes = File.ReadAllBytes(Library);
        if (Count(bytes, Optimised, out int at) != 1)
        {
            Log.LogError(
                $"{Library} is another TorchSharp.dll than 0.107: see build/UnoptimisedWrappers.cs whether it still needs the mark.");
            return false;
        }

        Unoptimised.CopyTo(bytes, at);
        Directory.CreateDirectory(Path.GetDirectoryName(Marked));
        File.WriteAllBytes(Marked, bytes);
        return true;
    }

    private static int Count(byte[] bytes, byte[] wanted, out int last)
    {
        int count = 0;
        last = -1;
        for (int at = 0; (at = Array.IndexOf(bytes, wanted[0], at)) >= 0 && at + wanted.Length <= bytes.Length; at++)
        {
            int same = 1;
            while (same < wanted.Length && bytes[at + same] == wanted[same])
            {
                same++;
            }

            if (same == wanted.Length)
            {
                (count, last) = (count + 1, at);
            }
        }

        return count;
    }
}
