using Wherry.Linux.Mounts;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Mounts;

/// <summary>A mount's options, sorted by who has to deal with them (mount(8), runtime-spec "Linux mount options").</summary>
public sealed record MountOptions
{
    public MountAttributes Set { get; private init; }

    public MountAttributes Clear { get; private init; }

    /// <summary>Attributes for every mount of a bound tree (<c>rro</c> and its like).</summary>
    public MountAttributes SetRecursive { get; private init; }

    public MountAttributes ClearRecursive { get; private init; }

    public bool IsBind { get; private init; }

    /// <summary>A bind that takes the mounts below along.</summary>
    public bool IsRecursive { get; private init; }

    /// <summary>At most one of private, slave, shared, unbindable; none if not asked for.</summary>
    public MountFlags Propagation { get; private init; }

    public bool PropagationRecursive { get; private init; }

    /// <summary>The owners it shows are mapped, by its own mappings or the container's.</summary>
    public bool IsIdMapped { get; private init; }

    /// <summary>Those of the mounts below too.</summary>
    public bool IsIdMappedRecursively { get; private init; }

    /// <summary>A new tmpfs begins with what the image has at its place (<c>tmpcopyup</c>).</summary>
    public bool CopiesUp { get; private init; }

    /// <summary>What is mounted there already is changed, nothing new mounted.</summary>
    public bool IsRemount { get; private init; }

    /// <summary>For the file system itself: <c>name=value</c>, or a name alone.</summary>
    public IReadOnlyList<string> FileSystem { get; private init; } = [];

    public static MountOptions Of(Mount mount)
    {
        var parsed = new MountOptions { IsBind = mount.Type == "bind" };
        var data = new List<string>();
        foreach (var option in mount.Options)
        {
            parsed = With(parsed, option, data);
        }

        return parsed with { FileSystem = data };
    }

    private static MountOptions With(MountOptions o, string option, List<string> data)
    {
        switch (option)
        {
            // What fstab(5) says about when and by whom to mount, and what has been the only behaviour for long.
            case "" or "defaults" or "auto" or "noauto" or "user" or "nouser" or "users" or "nofail" or "_netdev"
                or "silent" or "loud" or "nomand" or "noiversion" or "noacl" or "acl":
                return o;
            case "idmap":
                return o with { IsIdMapped = true };
            case "ridmap":
                return o with { IsIdMapped = true, IsIdMappedRecursively = true };
            case "tmpcopyup":
                return o with { CopiesUp = true };
            case "remount":
                return o with { IsRemount = true };
            case "bind":
                return o with { IsBind = true };
            case "rbind":
                return o with { IsBind = true, IsRecursive = true };
            case "private" or "rprivate" or "slave" or "rslave" or "shared" or "rshared" or "unbindable" or "runbindable":
                return o with { Propagation = PropagationOf(option), PropagationRecursive = option[0] == 'r' };
        }

        var recursive = option.Length > 2 && option[0] == 'r' && option is not ("rw" or "relatime" or "remount");
        if (AttributeOf(recursive ? option[1..] : option) is var (set, clear))
        {
            return recursive
                ? o with { SetRecursive = (o.SetRecursive & ~clear) | set, ClearRecursive = o.ClearRecursive | clear }
                : o with { Set = (o.Set & ~clear) | set, Clear = o.Clear | clear };
        }

        data.Add(option);
        return o;
    }

    private static MountFlags PropagationOf(string option) => option.TrimStart('r') switch
    {
        "private" => MountFlags.Private,
        "slave" => MountFlags.Slave,
        "shared" => MountFlags.Shared,
        _ => MountFlags.Unbindable,
    };

    // What an option sets, and what it clears first. Setting an access-time mode means clearing the whole field.
    private static (MountAttributes Set, MountAttributes Clear)? AttributeOf(string option) => option switch
    {
        "ro" => (MountAttributes.ReadOnly, 0),
        "rw" => (0, MountAttributes.ReadOnly),
        "nosuid" => (MountAttributes.NoSuid, 0),
        "suid" => (0, MountAttributes.NoSuid),
        "nodev" => (MountAttributes.NoDev, 0),
        "dev" => (0, MountAttributes.NoDev),
        "noexec" => (MountAttributes.NoExec, 0),
        "exec" => (0, MountAttributes.NoExec),
        "noatime" => (MountAttributes.NoAtime, MountAttributes.AtimeMask),
        "strictatime" => (MountAttributes.StrictAtime, MountAttributes.AtimeMask),
        "relatime" or "atime" or "nostrictatime" => (0, MountAttributes.AtimeMask),
        "norelatime" => (MountAttributes.StrictAtime, MountAttributes.AtimeMask),
        "nodiratime" => (MountAttributes.NoDirAtime, 0),
        "diratime" => (0, MountAttributes.NoDirAtime),
        "nosymfollow" => (MountAttributes.NoSymFollow, 0),
        "symfollow" => (0, MountAttributes.NoSymFollow),
        _ => null,
    };
}
