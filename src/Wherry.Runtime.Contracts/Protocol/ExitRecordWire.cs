namespace Wherry.Runtime.Contracts.Protocol;

/// <summary>An <see cref="ExitRecord"/> as a message.</summary>
public static class ExitRecordWire
{
    public static void WriteTo(ExitRecord record, WireWriter writer)
    {
        writer.Write(record.ExitCode);
        writer.Write(record.OomKilled);
        writer.Write(record.FinishedAt.UtcTicks);
        writer.Write(record.StartedAt?.UtcTicks ?? 0);
        writer.Write(record.Error);
    }

    public static ExitRecord ReadFrom(ref WireReader reader)
    {
        var code = reader.ReadInt32();
        var oom = reader.ReadBool();
        var finished = reader.ReadInt64();
        var started = reader.ReadInt64();
        return new ExitRecord
        {
            ExitCode = code,
            OomKilled = oom,
            FinishedAt = new DateTimeOffset(finished, TimeSpan.Zero),
            StartedAt = started == 0 ? null : new DateTimeOffset(started, TimeSpan.Zero),
            Error = reader.ReadString(),
        };
    }
}
