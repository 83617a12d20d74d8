namespace Wherry.Runtime.Contracts.Protocol;

/// <summary>Where a sandbox stands.</summary>
/// <param name="Pid">The first process's id on the host.</param>
/// <param name="OwnsNetworkNamespace">It has a network namespace made for it.</param>
/// <param name="StartedAt">When the program was executed; null before.</param>
/// <param name="Warnings">What was clipped to what the host can give.</param>
public sealed record SandboxSnapshot(int Pid, bool OwnsNetworkNamespace, DateTimeOffset? StartedAt, IReadOnlyList<string> Warnings)
{
    public void WriteTo(WireWriter writer)
    {
        writer.Write(Pid);
        writer.Write(OwnsNetworkNamespace);
        writer.Write(StartedAt?.UtcTicks ?? 0);
        writer.Write(Warnings);
    }

    public static SandboxSnapshot ReadFrom(ref WireReader reader)
    {
        var pid = reader.ReadInt32();
        var network = reader.ReadBool();
        var started = reader.ReadInt64();
        return new SandboxSnapshot(pid, network, started == 0 ? null : new DateTimeOffset(started, TimeSpan.Zero), reader.ReadStrings());
    }
}
