using System.Runtime.CompilerServices;

namespace Wherry.Linux.Kernel;

/// <summary>One page, all zero at first, that this process and its copies see alike.</summary>
public sealed unsafe class SharedMemory : IDisposable
{
    private const int PageSize = 4096;
    private const int ProtReadWrite = 3;
    private const int MapSharedAnonymous = 0x21;

    private nint _address = Syscall.Check(Syscall.Call(SyscallNumber.Mmap, 0, PageSize, ProtReadWrite, MapSharedAnonymous, -1, 0), "reserve shared memory");

    /// <summary>The page as a value; it stays where it is until disposed.</summary>
    public ref T As<T>()
        where T : unmanaged
    {
        // SAFETY: the page outlives the reference as long as the caller keeps this object, and the value fits.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sizeof(T), PageSize);
        return ref Unsafe.AsRef<T>((void*)_address);
    }

    public void Dispose()
    {
        if (_address != 0)
        {
            Syscall.Call(SyscallNumber.Munmap, _address, PageSize);
            _address = 0;
        }
    }
}
