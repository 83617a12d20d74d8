using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Contracts.Protocol;

/// <summary>A program to run inside, in the form the supervisor takes it.</summary>
/// <param name="Token">The engine's name for it, by which its exit is told.</param>
public sealed record ExecOrder(uint Token, ExecRequest Request)
{
    public void WriteTo(WireWriter writer)
    {
        var process = Request.Process;
        writer.Write(Token);
        writer.Write(Request.User);
        writer.Write((byte)((Request.Streams.Stdin ? 1 : 0) | (Request.Streams.Stdout ? 2 : 0) | (Request.Streams.Stderr ? 4 : 0)));
        writer.Write(Request.Detach);
        writer.Write(process.Terminal);
        writer.Write(process.ConsoleSize?.Height ?? 0);
        writer.Write(process.ConsoleSize?.Width ?? 0);
        writer.Write(process.User.Uid);
        writer.Write(process.User.Gid);
        writer.Write(process.User.Umask is { } umask ? (int)umask : -1);
        writer.Write(process.User.AdditionalGids.Count);
        foreach (var gid in process.User.AdditionalGids)
        {
            writer.Write(gid);
        }

        writer.Write(process.Args);
        writer.Write(process.Env);
        writer.Write(process.Cwd);
        var capabilities = process.Capabilities ?? new Capabilities();
        writer.Write(capabilities.Effective);
        writer.Write(capabilities.Bounding);
        writer.Write(capabilities.Inheritable);
        writer.Write(capabilities.Permitted);
        writer.Write(capabilities.Ambient);
        writer.Write(process.Rlimits.Count);
        foreach (var limit in process.Rlimits)
        {
            writer.Write(limit.Type);
            writer.Write(limit.Soft);
            writer.Write(limit.Hard);
        }

        writer.Write(process.NoNewPrivileges);
        writer.Write(process.OomScoreAdj ?? int.MinValue);
        writer.Write(process.ApparmorProfile);
        writer.Write(process.SelinuxLabel);
    }

    public static ExecOrder ReadFrom(ref WireReader reader)
    {
        var token = reader.ReadUInt32();
        var user = reader.ReadOptionalString();
        var streams = reader.ReadByte();
        var detach = reader.ReadBool();
        var terminal = reader.ReadBool();
        var height = reader.ReadInt32();
        var width = reader.ReadInt32();
        var uid = reader.ReadUInt32();
        var gid = reader.ReadUInt32();
        var umask = reader.ReadInt32();
        var groups = new uint[reader.ReadCount()];
        for (var i = 0; i < groups.Length; i++)
        {
            groups[i] = reader.ReadUInt32();
        }

        var args = reader.ReadStrings();
        var env = reader.ReadStrings();
        var cwd = reader.ReadString();
        var capabilities = new Capabilities
        {
            Effective = reader.ReadStrings(),
            Bounding = reader.ReadStrings(),
            Inheritable = reader.ReadStrings(),
            Permitted = reader.ReadStrings(),
            Ambient = reader.ReadStrings(),
        };
        var rlimits = new Rlimit[reader.ReadCount()];
        for (var i = 0; i < rlimits.Length; i++)
        {
            rlimits[i] = new Rlimit(reader.ReadString(), reader.ReadUInt64(), reader.ReadUInt64());
        }

        var noNewPrivileges = reader.ReadBool();
        var oomScore = reader.ReadInt32();
        var appArmorProfile = reader.ReadOptionalString();
        var selinuxLabel = reader.ReadOptionalString();
        var process = new Process
        {
            Terminal = terminal,
            ConsoleSize = height > 0 && width > 0 ? new ConsoleSize(height, width) : null,
            User = new User { Uid = uid, Gid = gid, Umask = umask < 0 ? null : (uint)umask, AdditionalGids = groups },
            Args = args,
            Env = env,
            Cwd = cwd,
            Capabilities = capabilities,
            Rlimits = rlimits,
            NoNewPrivileges = noNewPrivileges,
            OomScoreAdj = oomScore == int.MinValue ? null : oomScore,
            ApparmorProfile = appArmorProfile,
            SelinuxLabel = selinuxLabel,
        };
        return new ExecOrder(token, new ExecRequest(process, user, new StreamSelection((streams & 1) != 0, (streams & 2) != 0, (streams & 4) != 0), detach));
    }
}
