using System.Runtime.InteropServices;

namespace Wherry.Linux;

/// <summary>Errno values (errno(3)) the engine tells apart; the same on x86-64 and arm64.</summary>
public static partial class Errno
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int ESRCH = 3;
    public const int EINTR = 4;
    public const int EIO = 5;
    public const int ENXIO = 6;
    public const int E2BIG = 7;
    public const int ENOEXEC = 8;
    public const int EBADF = 9;
    public const int ECHILD = 10;
    public const int EAGAIN = 11;
    public const int ENOMEM = 12;
    public const int EACCES = 13;
    public const int EFAULT = 14;
    public const int EBUSY = 16;
    public const int EEXIST = 17;
    public const int EXDEV = 18;
    public const int ENODEV = 19;
    public const int ENOTDIR = 20;
    public const int EISDIR = 21;
    public const int EINVAL = 22;
    public const int ENFILE = 23;
    public const int EMFILE = 24;
    public const int ENOTTY = 25;
    public const int ETXTBSY = 26;
    public const int EFBIG = 27;
    public const int ENOSPC = 28;
    public const int EROFS = 30;
    public const int EPIPE = 32;
    public const int ERANGE = 34;
    public const int ENAMETOOLONG = 36;
    public const int ENOSYS = 38;
    public const int ENOTEMPTY = 39;
    public const int ELOOP = 40;
    public const int ENODATA = 61;
    public const int EOPNOTSUPP = 95;
    public const int EADDRINUSE = 98;
    public const int EADDRNOTAVAIL = 99;
    public const int ENOBUFS = 105;
    public const int ECONNRESET = 104;
    public const int ECONNREFUSED = 111;
    public const int EINPROGRESS = 115;
    public const int EDQUOT = 122;

    private static readonly Dictionary<int, string> Names = new()
    {
        [EPERM] = nameof(EPERM),
        [ENOENT] = nameof(ENOENT),
        [ESRCH] = nameof(ESRCH),
        [EINTR] = nameof(EINTR),
        [EIO] = nameof(EIO),
        [ENXIO] = nameof(ENXIO),
        [E2BIG] = nameof(E2BIG),
        [ENOEXEC] = nameof(ENOEXEC),
        [EBADF] = nameof(EBADF),
        [ECHILD] = nameof(ECHILD),
        [EAGAIN] = nameof(EAGAIN),
        [ENOMEM] = nameof(ENOMEM),
        [EACCES] = nameof(EACCES),
        [EFAULT] = nameof(EFAULT),
        [EBUSY] = nameof(EBUSY),
        [EEXIST] = nameof(EEXIST),
        [EXDEV] = nameof(EXDEV),
        [ENODEV] = nameof(ENODEV),
        [ENOTDIR] = nameof(ENOTDIR),
        [EISDIR] = nameof(EISDIR),
        [EINVAL] = nameof(EINVAL),
        [ENFILE] = nameof(ENFILE),
        [EMFILE] = nameof(EMFILE),
        [ENOTTY] = nameof(ENOTTY),
        [ETXTBSY] = nameof(ETXTBSY),
        [EFBIG] = nameof(EFBIG),
        [ENOSPC] = nameof(ENOSPC),
        [EROFS] = nameof(EROFS),
        [EPIPE] = nameof(EPIPE),
        [ERANGE] = nameof(ERANGE),
        [ENAMETOOLONG] = nameof(ENAMETOOLONG),
        [ENOSYS] = nameof(ENOSYS),
        [ENOTEMPTY] = nameof(ENOTEMPTY),
        [ELOOP] = nameof(ELOOP),
        [ENODATA] = nameof(ENODATA),
        [EOPNOTSUPP] = nameof(EOPNOTSUPP),
        [EADDRINUSE] = nameof(EADDRINUSE),
        [EADDRNOTAVAIL] = nameof(EADDRNOTAVAIL),
        [ENOBUFS] = nameof(ENOBUFS),
        [ECONNREFUSED] = nameof(ECONNREFUSED),
        [EDQUOT] = nameof(EDQUOT),
        [EINPROGRESS] = nameof(EINPROGRESS),
    };

    /// <summary><c>EPERM (Operation not permitted)</c>: the symbol for those who search, the words for those who read.</summary>
    public static string Describe(int errno)
    {
        var words = Marshal.GetPInvokeErrorMessage(errno);
        return Names.TryGetValue(errno, out var name) ? $"{name} ({words})" : $"errno {errno} ({words})";
    }
}
