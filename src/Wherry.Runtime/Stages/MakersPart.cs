using System.Globalization;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Mounts;
using Wherry.Linux.Processes;
using Wherry.Runtime.Bundles;
using Wherry.Runtime.Cgroups;
using Wherry.Runtime.Checks;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Runtime.Mounts;
using Wherry.Runtime.Programs;
using Wherry.Runtime.Seccomp;

namespace Wherry.Runtime.Stages;

/// <summary>
/// For a container in a user namespace: all that takes the host's rights, done by its maker before and just
/// after the first process is made. Without a user namespace the stage does these things itself, which spares
/// the maker reading the bundle. A maker who is an ordinary user has no such rights: then the stage, root inside,
/// does for him all but make the namespace and limit the cgroup.
/// </summary>
internal sealed class MakersPart : IDisposable
{
    // What is left of a message beside the texts of an order.
    private const int MostMounts = 1000;

    private readonly List<FileDescriptor> _handed = [];
    private readonly List<string> _warnings = [];
    private readonly Bundle _bundle;
    private readonly FileDescriptor _userNamespace;
    private readonly int _lowestNumber;

    private MakersPart(Bundle bundle, FileDescriptor userNamespace, int lowestNumber)
    {
        _lowestNumber = lowestNumber;
        _bundle = bundle;
        _userNamespace = userNamespace;
    }

    public FileDescriptor UserNamespace => _userNamespace;

    /// <summary>Numbers of this process's descriptors that the stage is to keep.</summary>
    public IReadOnlyList<int> Numbers => [.. _handed.Select(descriptor => descriptor.Number)];

    /// <summary>Null where the maker had nothing to give that the stage could not get at by itself.</summary>
    public HandedOver? HandedOver { get; private set; }

    public IReadOnlyList<string> Warnings => _warnings;

    /// <param name="request">The container.</param>
    /// <param name="lowestNumber">Descriptors for the stage get numbers from here on.</param>
    /// <returns>Null for a container in the host's user namespace.</returns>
    /// <exception cref="WherryException">Something can't be had.</exception>
    public static MakersPart? For(StageRequest request, int lowestNumber)
    {
        if (NamespaceKinds.Find(request.Namespaces, "user") is null)
        {
            return null;
        }

        OwnExecutable.Open();
        var bundle = Bundle.Read(request.Bundle);
        BundleCheck.Require(bundle);
        if (bundle.Spec.Mounts.Count > MostMounts)
        {
            throw WherryException.Invalid($"mounts: more than {MostMounts} can't be made in a user namespace");
        }

        var part = new MakersPart(bundle, IdMappings.OpenUserNamespace(bundle.Linux)!, lowestNumber);
        try
        {
            part.Prepare(request);
            return part;
        }
        catch
        {
            part.Dispose();
            throw;
        }
    }

    /// <summary>What can only be done to the process itself: lift its ceilings, set its score.</summary>
    public void Equip(int pid)
    {
        if (HandedOver is null)
        {
            return;
        }

        foreach (var limit in _bundle.Process.Rlimits)
        {
            // Above the ceiling only the host's own root may go; below it, the stage can by itself.
            var number = ResourceLimits.NumberOf(limit.Type);
            var now = ProcessSyscalls.GetResourceLimit(number);
            if (limit.Hard > now.Hard)
            {
                _ = ProcessSyscalls.TrySetResourceLimit(pid, number, now.Soft, limit.Hard);
            }
        }

        OomScore.Set($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/oom_score_adj", _bundle.Process, _bundle.Options.AskedByName, _warnings);
    }

    public void Dispose()
    {
        _handed.ForEach(descriptor => descriptor.Dispose());
        _userNamespace.Dispose();
    }

    private void Prepare(StageRequest request)
    {
        var linux = _bundle.Linux;
        if (!OwnExecutable.MayMount)
        {
            RequirePossible(request);
        }

        var limits = new CgroupLimits(request.Cgroup, _bundle.Options.AskedByName, _warnings);
        limits.Apply(linux.Resources);
        if (!OwnExecutable.MayMount)
        {
            return;
        }

        limits.ApplyDevices(linux.Resources);
        CgroupOwner.Give(request.Cgroup, _bundle.Spec);

        using var sources = BindSources.Open(_bundle.Spec.Mounts, _bundle.Directory, _bundle.Options.SharedMemoryOf, _userNamespace);
        using var root = RootFilesystem.MakeDetached(_bundle.RootPath, _bundle.Options.Rootfs, _userNamespace, OwnerOnHost());
        HandedOver = new HandedOver
        {
            Config = Hand(Path.Combine(_bundle.Directory, StateFiles.Config)),
            Sandbox = File.Exists(Path.Combine(_bundle.Directory, StateFiles.Sandbox)) ? Hand(Path.Combine(_bundle.Directory, StateFiles.Sandbox)) : -1,
            Root = Hand(root),
            Filter = HandFilter(),
            Binds = [.. _bundle.Spec.Mounts.Select(mount => sources.Find(mount) is { } source ? Hand(source) : -1)],
            CopyUps = [.. _bundle.Options.CopyUps.Select(HandVolume)],
        };
        GiveStreams(request);
    }

    // What the stage, root inside only, could not do either.
    private void RequirePossible(StageRequest request)
    {
        UnlimitedCheck.Require(_bundle.Linux.Resources, request.Cgroup);
        if (_bundle.Linux.NetDevices is { Count: > 0 } devices)
        {
            throw WherryException.Unsupported($"linux.netDevices: {string.Join(", ", devices.Keys)} can't be moved by an ordinary user: it takes CAP_NET_ADMIN over the host's network");
        }

        if (_bundle.Spec.Mounts.FirstOrDefault(mount => MappedOwners.AreAsked(mount)) is { } mapped)
        {
            throw WherryException.Unsupported($"mount on {mapped.Destination}: an ordinary user can't have a file system's owners mapped (idmap, uidMappings)");
        }
    }

    private (uint Uid, uint Gid)? OwnerOnHost() =>
        (IdMappings.HostId(_bundle.Linux.UidMappings, 0), IdMappings.HostId(_bundle.Linux.GidMappings, 0)) is ({ } uid, { } gid) ? (uid, gid) : null;

    private int Hand(string path)
    {
        using var file = FileSyscalls.Open(path, OpenFlags.ReadOnly);
        return Hand(file);
    }

    // Compiled here where it was not yet: the cache is the host's.
    private int HandFilter()
    {
        if (_bundle.Linux.Seccomp is null || _bundle.Options.SeccompCache is not { } cache)
        {
            return -1;
        }

        SyscallFilter.Prepare(_bundle.Linux.Seccomp, cache)?.Dispose();
        return File.Exists(cache) ? Hand(cache) : -1;
    }

    // Besides the mount the container gets, which may be read-only.
    private int HandVolume(VolumeCopyUp copyUp)
    {
        using var tree = MountSyscalls.CloneTree(copyUp.VolumeDirectory, recursive: false);
        if (_bundle.Spec.Mounts.FirstOrDefault(mount => mount.Source == copyUp.VolumeDirectory) is { } mount)
        {
            using var owners = new MappedOwners(_userNamespace);
            owners.Apply(tree, mount, MountOptions.Of(mount));
        }

        return Hand(tree);
    }

    private int Hand(FileDescriptor descriptor)
    {
        var copy = FileSyscalls.Duplicate(descriptor, _lowestNumber);
        _handed.Add(copy);
        return copy.Number;
    }

    // A stream of the host's root is nobody's inside. Its new owner, the root inside, can give it on to the program's
    // user: by its capabilities, which count only for what has an owner and a group inside.
    private void GiveStreams(StageRequest request)
    {
        if (OwnerOnHost() is not var (uid, gid))
        {
            return;
        }

        foreach (var stream in (ReadOnlySpan<FileDescriptor>)[request.Stdin, request.Stdout, request.Stderr])
        {
            StreamOwner.TryGive(stream, uid, gid);
        }
    }
}
