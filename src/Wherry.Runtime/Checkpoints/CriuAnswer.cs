namespace Wherry.Runtime.Checkpoints;

/// <summary>What CRIU is asked to do, and what its messages are about (rpc.proto, <c>criu_req_type</c>).</summary>
internal enum CriuKind
{
    None = 0,
    Dump = 1,
    Restore = 2,
    PreDump = 4,
    Notify = 6,
    FeatureCheck = 9,
    Version = 10,
}

/// <summary>A message of CRIU's (rpc.proto, <c>criu_resp</c>).</summary>
/// <param name="Kind">What it answers; a notice has a kind of its own.</param>
/// <param name="Success">It was done.</param>
/// <param name="Event">A notice's name, such as <c>post-restore</c>.</param>
/// <param name="Pid">The process a notice is about, or that was restored; 0 for none.</param>
/// <param name="Error">The last lines of its log that are errors; null for none.</param>
/// <param name="Version">Asked for; 0.0 otherwise.</param>
/// <param name="HasLazyPages">Asked for: this CRIU on this kernel can have processes wait for memory.</param>
internal sealed record CriuAnswer(CriuKind Kind, bool Success, string Event, int Pid, string? Error, Version Version, bool HasLazyPages)
{
    /// <summary>The field that stands for them among CRIU's features (<c>criu_features</c>).</summary>
    public const int LazyPagesFeature = 2;

    public static CriuAnswer Parse(ReadOnlySpan<byte> message)
    {
        var answer = new CriuAnswer(CriuKind.None, false, "", 0, null, new Version(0, 0), false);
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            answer = reader.Field switch
            {
                1 => answer with { Kind = (CriuKind)reader.Number },
                2 => answer with { Success = reader.Flag },
                4 => WithRestored(answer, reader.Message),
                5 => WithNotice(answer, reader.Message),
                8 => answer with { HasLazyPages = LazyPagesOf(reader.Message) },
                9 => answer with { Error = reader.Text },
                10 => answer with { Version = VersionOf(reader.Message) },
                _ => answer,
            };
        }

        return answer;
    }

    private static CriuAnswer WithRestored(CriuAnswer answer, ReadOnlySpan<byte> message)
    {
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            answer = reader.Field == 1 ? answer with { Pid = reader.Number } : answer;
        }

        return answer;
    }

    private static CriuAnswer WithNotice(CriuAnswer answer, ReadOnlySpan<byte> message)
    {
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            answer = reader.Field switch
            {
                1 => answer with { Event = reader.Text },
                2 => answer with { Pid = reader.Number },
                _ => answer,
            };
        }

        return answer;
    }

    private static bool LazyPagesOf(ReadOnlySpan<byte> message)
    {
        var has = false;
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            has = reader.Field == LazyPagesFeature ? reader.Flag : has;
        }

        return has;
    }

    private static Version VersionOf(ReadOnlySpan<byte> message)
    {
        var (major, minor) = (0, 0);
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            (major, minor) = reader.Field switch
            {
                1 => (reader.Number, minor),
                2 => (major, reader.Number),
                _ => (major, minor),
            };
        }

        return new Version(major, minor);
    }
}
