using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Wherry.Linux.Kernel;

namespace Wherry.Linux.Polling;

/// <summary>What is waited for, or what has come (epoll_ctl(2)).</summary>
[Flags]
public enum PollEvents : uint
{
    None = 0,
    Readable = 1,
    Writable = 4,
    Error = 8,
    HungUp = 16,
    PeerClosed = 0x2000,
}

/// <summary>An epoll instance, level-triggered; each descriptor carries a number of the caller's choice.</summary>
public sealed unsafe class EventPoll : IDisposable
{
    private const int CloseOnExec = 0x80000;
    private const int Add = 1;
    private const int Delete = 2;
    private const int Modify = 3;
    private const int Capacity = 32;

    private readonly FileDescriptor _epoll = new((int)Syscall.Check(Syscall.Call(SyscallNumber.EpollCreate1, CloseOnExec), "make an epoll instance"));
    private readonly byte* _events = (byte*)NativeMemory.AllocZeroed(Capacity * 16);

    // struct epoll_event is packed on x86-64 only.
    private static int DataOffset => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    private static int Stride => DataOffset + 8;

    public void Watch(int fd, PollEvents events, ulong tag) => Control(Add, fd, events, tag);

    public void Change(int fd, PollEvents events, ulong tag) => Control(Modify, fd, events, tag);

    public void Forget(int fd) => Control(Delete, fd, PollEvents.None, 0);

    /// <summary>Waits and returns how many events came; read them by <see cref="this[int]"/>.</summary>
    /// <param name="timeoutMilliseconds">−1 waits for ever.</param>
    public int Wait(int timeoutMilliseconds)
    {
        var count = Syscall.Call(SyscallNumber.EpollPwait, _epoll.Number, (nint)_events, Capacity, timeoutMilliseconds, 0, 8);
        return count == -Errno.EINTR ? 0 : (int)Syscall.Check(count, "wait for events");
    }

    public (PollEvents Events, ulong Tag) this[int index]
    {
        get
        {
            // SAFETY: index is below the count that Wait returned, which is at most Capacity.
            var entry = _events + (index * Stride);
            return ((PollEvents)Unsafe.ReadUnaligned<uint>(entry), Unsafe.ReadUnaligned<ulong>(entry + DataOffset));
        }
    }

    public void Dispose()
    {
        _epoll.Dispose();
        NativeMemory.Free(_events);
    }

    private void Control(int operation, int fd, PollEvents events, ulong tag)
    {
        var entry = stackalloc byte[16];
        Unsafe.WriteUnaligned(entry, (uint)events);
        Unsafe.WriteUnaligned(entry + DataOffset, tag);
        Syscall.Check(Syscall.Call(SyscallNumber.EpollCtl, _epoll.Number, operation, fd, (nint)entry), $"watch descriptor {fd}");
    }
}
