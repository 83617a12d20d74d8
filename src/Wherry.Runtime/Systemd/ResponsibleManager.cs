using Wherry.Errors;
using Wherry.Linux.Cgroups;
using Wherry.Linux.DBus;
using Wherry.Linux.Processes;

namespace Wherry.Runtime.Systemd;

/// <summary>
/// The systemd that makes cgroups for the caller: root's is the host's, an ordinary user's the service manager of his
/// own (<c>systemd --user</c>), which has been given a part of the v2 tree for him (user@.service(5)).
/// </summary>
public static class ResponsibleManager
{
    private const string Refusal = "systemd cgroup flag passed, but systemd support for managing cgroups is not available";
    private const string HostsSocket = "/run/systemd/private";
    private const string HostsBus = "/run/dbus/system_bus_socket";
    private const string BootMark = "/run/systemd/system";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <exception cref="WherryException">There is none, it can't be reached, or it has no cgroup of its own to make others in.</exception>
    public static SystemdManager Connect()
    {
        if (IsHosts)
        {
            return TryConnect() ?? throw WherryException.Unsupported(
                $"{Refusal}: systemd does not run this host (there is no {BootMark}); leave the flag out to have cgroups made without it");
        }

        // On v1 nothing is given to users.
        return !CgroupHost.Detect().IsUnified
            ? throw WherryException.Unsupported($"{Refusal} to ordinary users on cgroup v1; leave the flag out")
            : TryConnect() ?? throw WherryException.Unsupported(
                $"{Refusal}: this user has no service manager (nobody listens in $XDG_RUNTIME_DIR/systemd or at the session's bus); 'loginctl enable-linger' starts one, or leave the flag out");
    }

    /// <summary>Null where there is none.</summary>
    /// <exception cref="WherryException">It can't be reached.</exception>
    public static SystemdManager? TryConnect() => IsHosts ? TryConnectToHosts() : TryConnectToUsers();

    private static bool IsHosts => Environment.IsPrivilegedProcess && !UserNamespace.IsInside;

    private static SystemdManager? TryConnectToHosts() => !Directory.Exists(BootMark)
        ? null
        : SystemdManager.TryConnect(HostsSocket, isUsers: false, Patience)
            ?? SystemdManager.TryConnectOverBus(HostsBus, isUsers: false, Patience)
            ?? throw WherryException.System($"systemd runs this host but can be reached neither at {HostsSocket} nor at {HostsBus}");

    private static SystemdManager? TryConnectToUsers()
    {
        var runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        if (runtime is ['/', ..] && SystemdManager.TryConnect(runtime + "/systemd/private", isUsers: true, Patience) is { } direct)
        {
            return direct;
        }

        var buses = BusAddress.Sockets(Environment.GetEnvironmentVariable("DBUS_SESSION_BUS_ADDRESS") ?? "");
        foreach (var bus in runtime is ['/', ..] ? buses.Append(runtime + "/bus") : buses)
        {
            if (SystemdManager.TryConnectOverBus(bus, isUsers: true, Patience) is { } manager)
            {
                return manager;
            }
        }

        return null;
    }
}
