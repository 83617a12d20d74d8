using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Linux.Processes;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Parts;

public sealed class VforkChildTests
{
    private const int Rounds = 20;

    /// <summary>The maker's frames are beyond the child's, and only found from there.</summary>
    [Fact]
    public async Task A_collection_during_a_childs_life_finds_what_its_maker_holds()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var (read, write) = FileSyscalls.Pipe();
            using (read)
            using (write)
            {
                var held = Task.Run(() => HoldWhileChildReads(read.Number), Cancel);
                await Task.Delay(TimeSpan.FromMilliseconds(5), Cancel);

                // What survives is moved, and what has no references is gone.
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
                Assert.Equal(1, FileSyscalls.Write(write.Number, "x"u8));
                var numbers = await held;
                Assert.Equal(Enumerable.Range(0, numbers.Count), numbers);
            }
        }
    }

    [Fact]
    public unsafe void A_child_may_make_a_child()
    {
        var order = new Order { Descriptor = -1, Makes = true };
        var pid = VforkChild.Run(&Child, &order, CloneFlags.None);
        Assert.Equal(2, order.Runs);
        Assert.Equal(7, ProcessSyscalls.Wait(order.Pid, block: true)!.Value.ExitCode);
        Assert.Equal(7, ProcessSyscalls.Wait(pid, block: true)!.Value.ExitCode);
    }

    /// <summary>A lock that a killed maker held would be held on by it.</summary>
    [Fact]
    public void An_idle_process_holds_none_of_its_makers_descriptors()
    {
        using var idle = IdleProcess.Start();
        Assert.Empty(Directory.GetFileSystemEntries($"/proc/{idle.Id}/fd"));
        Assert.Equal(Environment.ProcessId, ProcessStat.TryRead(idle.Id)!.Value.Parent);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static unsafe List<int> HoldWhileChildReads(int descriptor)
    {
        // In young memory, among garbage, so that a collection has to move it.
        List<int> first = [], numbers = [.. Enumerable.Range(0, 1000)];
        var order = new Order { Descriptor = descriptor };
        var pid = VforkChild.Run(&Child, &order, CloneFlags.None);
        Assert.Equal(7, ProcessSyscalls.Wait(pid, block: true)!.Value.ExitCode);
        Assert.Empty(first);
        return numbers;
    }

    [UnmanagedCallersOnly]
    private static unsafe int Child(void* argument)
    {
        // SAFETY: the order lies on the maker's frame, which stands still until the child has exited.
        ref var order = ref Unsafe.AsRef<Order>(argument);
        order.Runs++;
        if (order.Makes)
        {
            order.Makes = false;
            order.Pid = VforkChild.Run(&Child, argument, CloneFlags.Parent);
        }

        byte read = 0;
        Syscall.Call(SyscallNumber.Read, order.Descriptor, (nint)(&read), 1);
        VforkChild.Exit(7);
        return 0;
    }

    private struct Order
    {
        public int Descriptor;
        public bool Makes;
        public int Runs;
        public int Pid;
    }
}
