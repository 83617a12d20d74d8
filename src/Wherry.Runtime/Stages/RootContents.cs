using Wherry.Linux;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Mounts;
using Wherry.Linux.Terminals;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Bundles;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Mounts;

namespace Wherry.Runtime.Stages;

/// <summary>What a stage makes in the container's root before it enters it: in this order, as each may lie on the one before.</summary>
internal sealed class RootContents(RootDirectory root, Bundle bundle, StageOrder order, CgroupDirectories cgroup) : IDisposable
{
    private const string NotifyPath = "/run/notify/notify.sock";

    private ContainerMounts? _mounts;

    /// <summary>New volumes get what the image has in their places.</summary>
    public void FillVolumes()
    {
        for (var i = 0; i < bundle.Options.CopyUps.Count; i++)
        {
            var copyUp = bundle.Options.CopyUps[i];
            using var volume = order.HandedOver is { } handed
                ? new FileDescriptor(handed.CopyUps[i])
                : FileSyscalls.Open(copyUp.VolumeDirectory, OpenFlags.PathOnly | OpenFlags.Directory);
            CopyUp.Fill(root, copyUp.ContainerPath, volume);
        }
    }

    /// <param name="sources">What binds show.</param>
    /// <exception cref="SandboxStartException">One can't be made; it is named.</exception>
    public void MakeMounts(BindSources sources)
    {
        using var owners = new MappedOwners(container: null);
        _mounts = new ContainerMounts(root, sources, cgroup, owners, bundle.Linux.MountLabel);
        foreach (var mount in bundle.Spec.Mounts)
        {
            try
            {
                _mounts.Make(mount);
            }
            catch (LinuxException e)
            {
                throw new SandboxStartException($"mount {mount.Source} on {mount.Destination}: {e.Message}", 128);
            }
        }
    }

    /// <summary>Makes the device nodes and, where the program has one, the terminal, whose ends are the caller's.</summary>
    public (FileDescriptor Master, FileDescriptor Slave)? PrepareDevices()
    {
        var devices = new DeviceNodes(root);
        devices.Make(bundle.Spec.Mounts, bundle.Linux.Devices);
        if (!bundle.Process.Terminal)
        {
            return null;
        }

        var terminal = PseudoTerminal.OpenInside(root);
        if (bundle.Process.ConsoleSize is { Height: > 0, Width: > 0 } size)
        {
            PseudoTerminal.Resize(terminal.Master, size.Height, size.Width);
        }

        devices.BindConsole(terminal.Slave);
        return terminal;
    }

    /// <summary>Shows the program the socket of the service manager (sd_notify(3)).</summary>
    /// <param name="socket">A mount of it; null for none.</param>
    /// <returns>The program, told where it is.</returns>
    public Process WithNotifySocket(FileDescriptor? socket)
    {
        if (socket is null)
        {
            return bundle.Process;
        }

        using var target = root.OpenOrMakeFile(NotifyPath);
        MountSyscalls.Attach(socket, target, NotifyPath);
        return bundle.Process with { Env = [.. bundle.Process.Env.Where(entry => !entry.StartsWith("NOTIFY_SOCKET=", StringComparison.Ordinal)), "NOTIFY_SOCKET=" + NotifyPath] };
    }

    /// <summary>As Docker does: a WORKDIR that the image lacks is made, as root.</summary>
    public void MakeWorkingDirectory()
    {
        var directory = bundle.Process.Cwd;
        if (directory.Length > 1)
        {
            root.OpenOrMakeDirectory(directory).Dispose();
        }
    }

    /// <summary>Masks paths, makes others read-only and, last, the root itself.</summary>
    public void HidePaths()
    {
        _mounts?.MakeReadOnly();
        var hidden = new HiddenPaths(root);
        hidden.MakeReadOnly(bundle.Linux.ReadonlyPaths);
        hidden.Mask(bundle.Linux.MaskedPaths);
        if (bundle.Options.NoSuidRoot)
        {
            MountSyscalls.SetAttributes(root.Descriptor, MountAttributes.NoSuid, MountAttributes.None, MountFlags.None, recursive: false, "/");
        }

        if (bundle.Spec.Root?.Readonly is true)
        {
            MountSyscalls.SetAttributes(root.Descriptor, MountAttributes.ReadOnly, MountAttributes.None, MountFlags.None, recursive: false, "/");
        }
    }

    public void Dispose() => _mounts?.Dispose();
}
