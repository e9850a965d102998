using System.Runtime.InteropServices;

namespace Recsys.Imaging.Native;

/// <summary>
/// libvips and gobject, only entry points without variable arguments: calling a variadic C function through P/Invoke is
/// undefined (on arm64 it passes them elsewhere), so operations are built by name and property as all of libvips' bindings do.
/// </summary>
internal static unsafe partial class Vips
{
    private const string Lib = "libvips.so.42";
    private const string GObject = "libgobject-2.0.so.0";
    private const string GLib = "libglib-2.0.so.0";

    [LibraryImport(Lib, EntryPoint = "vips_init", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Init(string name);

    [LibraryImport(Lib, EntryPoint = "vips_version")]
    internal static partial int Version(int part);

    [LibraryImport(Lib, EntryPoint = "vips_concurrency_set")]
    internal static partial void ConcurrencySet(int threads);

    [LibraryImport(Lib, EntryPoint = "vips_vector_set_enabled")]
    internal static partial void VectorSetEnabled(int enabled);

    [LibraryImport(Lib, EntryPoint = "vips_cache_set_max")]
    internal static partial void CacheSetMax(int operations);

    [LibraryImport(Lib, EntryPoint = "vips_block_untrusted_set")]
    internal static partial void BlockUntrustedSet(int block);

    [LibraryImport(Lib, EntryPoint = "vips_operation_block_set", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial void OperationBlockSet(string name, int block);

    [LibraryImport(Lib, EntryPoint = "vips_error_buffer_copy")]
    internal static partial nint ErrorBufferCopy();

    [LibraryImport(Lib, EntryPoint = "vips_error_clear")]
    internal static partial void ErrorClear();

    [LibraryImport(Lib, EntryPoint = "vips_operation_new", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint OperationNew(string name);

    [LibraryImport(Lib, EntryPoint = "vips_object_build")]
    internal static partial int ObjectBuild(nint operation);

    [LibraryImport(Lib, EntryPoint = "vips_object_unref_outputs")]
    internal static partial void ObjectUnrefOutputs(nint operation);

    [LibraryImport(Lib, EntryPoint = "vips_object_set_argument_from_string", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ObjectSetArgument(nint operation, string name, string value);

    [LibraryImport(Lib, EntryPoint = "vips_image_get_type")]
    internal static partial nuint ImageType();

    [LibraryImport(Lib, EntryPoint = "vips_blob_get_type")]
    internal static partial nuint BlobType();

    [LibraryImport(Lib, EntryPoint = "vips_blob_copy")]
    internal static partial nint BlobCopy(byte* data, nuint length);

    [LibraryImport(Lib, EntryPoint = "vips_blob_get")]
    internal static partial byte* BlobGet(nint blob, out nuint length);

    [LibraryImport(Lib, EntryPoint = "vips_area_unref")]
    internal static partial void AreaUnref(nint area);

    [LibraryImport(Lib, EntryPoint = "vips_image_new_from_memory_copy")]
    internal static partial nint ImageFromMemory(byte* data, nuint length, int width, int height, int bands, int format);

    [LibraryImport(Lib, EntryPoint = "vips_region_new")]
    internal static partial nint RegionNew(nint image);

    [LibraryImport(Lib, EntryPoint = "vips_region_fetch")]
    internal static partial byte* RegionFetch(nint region, int left, int top, int width, int height, out nuint length);

    [LibraryImport(Lib, EntryPoint = "vips_image_get_width")]
    internal static partial int ImageWidth(nint image);

    [LibraryImport(Lib, EntryPoint = "vips_image_get_height")]
    internal static partial int ImageHeight(nint image);

    [LibraryImport(Lib, EntryPoint = "vips_image_get_bands")]
    internal static partial int ImageBands(nint image);

    [LibraryImport(Lib, EntryPoint = "vips_image_hasalpha")]
    internal static partial int ImageHasAlpha(nint image);

    [LibraryImport(Lib, EntryPoint = "vips_image_get_orientation")]
    internal static partial int ImageOrientation(nint image);

    [LibraryImport(Lib, EntryPoint = "vips_tracked_get_mem")]
    internal static partial nuint TrackedMemory();

    [LibraryImport(GObject, EntryPoint = "g_value_init")]
    internal static partial nint ValueInit(GValue* value, nuint type);

    [LibraryImport(GObject, EntryPoint = "g_value_unset")]
    internal static partial void ValueUnset(GValue* value);

    [LibraryImport(GObject, EntryPoint = "g_value_set_object")]
    internal static partial void ValueSetObject(GValue* value, nint instance);

    [LibraryImport(GObject, EntryPoint = "g_value_set_double")]
    internal static partial void ValueSetDouble(GValue* value, double number);

    [LibraryImport(GObject, EntryPoint = "g_value_set_boxed")]
    internal static partial void ValueSetBoxed(GValue* value, nint boxed);

    [LibraryImport(GObject, EntryPoint = "g_value_dup_object")]
    internal static partial nint ValueDupObject(GValue* value);

    [LibraryImport(GObject, EntryPoint = "g_value_get_boxed")]
    internal static partial nint ValueGetBoxed(GValue* value);

    [LibraryImport(GObject, EntryPoint = "g_object_set_property", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial void SetProperty(nint instance, string name, GValue* value);

    [LibraryImport(GObject, EntryPoint = "g_object_get_property", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial void GetProperty(nint instance, string name, GValue* value);

    [LibraryImport(GObject, EntryPoint = "g_object_unref")]
    internal static partial void Unref(nint instance);

    [LibraryImport(GLib, EntryPoint = "g_free")]
    internal static partial void Free(nint memory);

    [LibraryImport(GLib, EntryPoint = "g_ascii_strtod", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial double ParseDouble(string text, nint end);

    [LibraryImport(GLib, EntryPoint = "g_log_set_handler", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial uint LogSetHandler(string domain, int levels, delegate* unmanaged<byte*, int, byte*, nint, void> handler, nint data);

    /// <summary>gobject's number for doubles, fixed in its ABI.</summary>
    internal const nuint DoubleType = 15 << 2;

    /// <summary>gobject's GValue: a type and two words.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct GValue
    {
        public nuint Type;
        public ulong First;
        public ulong Second;
    }
}
