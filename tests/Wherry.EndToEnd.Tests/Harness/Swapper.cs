using System.Runtime.InteropServices;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>
/// Puts one name in another's place for moments, as fast as the kernel exchanges them (renameat2(2)), until disposed: what
/// an attacker's program would do in a container, without the time a shell's processes take.
/// </summary>
public sealed partial class Swapper : IDisposable
{
    private const int WorkingDirectory = -100;
    private const uint Exchange = 2;

    // So that the guest is there for about a third of the time: a check meets the host as a rule, what follows often the guest.
    private const int SpinsBetweenVisits = 200;

    private readonly Thread _thread;
    private volatile bool _ended;
    private long _count;

    /// <param name="host">A path.</param>
    /// <param name="guest">Of the same file system.</param>
    public Swapper(string host, string guest)
    {
        _thread = new Thread(() => Swap(host, guest)) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>How often both have been exchanged, there and back.</summary>
    public long Count => Interlocked.Read(ref _count);

    public void Dispose()
    {
        _ended = true;
        _thread.Join();
    }

    private void Swap(string host, string guest)
    {
        while (!_ended)
        {
            if (Rename(WorkingDirectory, host, WorkingDirectory, guest, Exchange) == 0)
            {
                Rename(WorkingDirectory, host, WorkingDirectory, guest, Exchange);
                Interlocked.Increment(ref _count);
            }

            Thread.SpinWait(SpinsBetweenVisits);
        }
    }

    [LibraryImport("libc", EntryPoint = "renameat2", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(int oldDirectory, string oldPath, int newDirectory, string newPath, uint flags);
}
