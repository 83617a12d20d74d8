namespace Wherry.Registry.Storage;

/// <summary>Tells a full disk from other failures, and clients so.</summary>
internal static class DiskFull
{
    /// <summary>ENOSPC.</summary>
    internal const int NoSpace = 28;

    /// <summary>EDQUOT.</summary>
    internal const int OverDiskQuota = 122;

    /// <summary>The framework carries the errno of a failed write in the exception's result.</summary>
    internal static bool Is(IOException failure) => failure.HResult is NoSpace or OverDiskQuota || (failure.HResult & 0xFFFF) is 112 or 39;

    internal static RegistryException Failure(Exception cause) =>
        new(507, ErrorCode.Unknown, "the registry's disk is full: no space left on device", inner: cause);
}
