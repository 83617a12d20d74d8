using System.Runtime.InteropServices;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Checks;

namespace Wherry.Runtime.Programs;

/// <summary>Processors an exec may use before and after it joins its container's cgroup, as sched_setaffinity(2) takes them. Null is not asked for.</summary>
internal sealed unsafe class NativeAffinity : IDisposable
{
    public NativeAffinity(ExecCpuAffinity? affinity)
    {
        var initial = Mask(affinity?.Initial, "process.execCPUAffinity.initial");
        var final = Mask(affinity?.Final, "process.execCPUAffinity.final");
        var words = Math.Max(initial.Length, final.Length);
        Size = words * sizeof(ulong);
        Initial = Copy(initial, words);
        Final = Copy(final, words);
    }

    public ulong* Initial { get; }

    public ulong* Final { get; }

    /// <summary>Bytes of each.</summary>
    public int Size { get; }

    public void Dispose()
    {
        NativeMemory.Free(Initial);
        NativeMemory.Free(Final);
    }

    private static ulong[] Mask(string? list, string property) => string.IsNullOrEmpty(list) ? [] : NumberLists.Parse(list, property);

    private static ulong* Copy(ulong[] mask, int words)
    {
        if (mask.Length == 0)
        {
            return null;
        }

        var copy = (ulong*)NativeMemory.AllocZeroed((nuint)words, sizeof(ulong));
        mask.CopyTo(new Span<ulong>(copy, words));
        return copy;
    }
}
