using System.Runtime.InteropServices;
using Wherry.Errors;
using Wherry.Storage.Archives;

namespace Wherry.Storage.Compression;

/// <summary>The host's libzstd, loaded when first needed: most hosts have it, and an engine without zstd images needs none.</summary>
internal static unsafe partial class ZstdLibrary
{
    private const string Library = "libzstd.so.1";

    [StructLayout(LayoutKind.Sequential)]
    internal struct Buffer
    {
        public byte* Data;
        public nuint Size;
        public nuint Position;
    }

    internal static T Call<T>(Func<T> call)
    {
        try
        {
            return call();
        }
        catch (DllNotFoundException missing)
        {
            throw new WherryException(ErrorKind.Unsupported, "zstd compression needs libzstd.so.1, which this host lacks: apt-get install libzstd1", missing);
        }
    }

    internal static nuint Check(nuint result, string doing)
    {
        if (ZSTD_isError(result) == 0)
            return result;
        var name = Marshal.PtrToStringUTF8((nint)ZSTD_getErrorName(result));
        throw new TarFormatException($"{doing}: {name}");
    }

    [LibraryImport(Library)]
    internal static partial nint ZSTD_createDCtx();

    [LibraryImport(Library)]
    internal static partial nuint ZSTD_freeDCtx(nint context);

    [LibraryImport(Library)]
    internal static partial nuint ZSTD_decompressStream(nint context, Buffer* output, Buffer* input);

    [LibraryImport(Library)]
    internal static partial nint ZSTD_createCCtx();

    [LibraryImport(Library)]
    internal static partial nuint ZSTD_freeCCtx(nint context);

    [LibraryImport(Library)]
    internal static partial nuint ZSTD_compressStream2(nint context, Buffer* output, Buffer* input, int endDirective);

    [LibraryImport(Library)]
    private static partial uint ZSTD_isError(nuint result);

    [LibraryImport(Library)]
    private static partial byte* ZSTD_getErrorName(nuint result);
}
