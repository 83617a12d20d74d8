using Wherry.Errors;
using Wherry.Linux.DBus;
using Wherry.Linux.Processes;

namespace Wherry.Runtime.Systemd;

/// <summary>The host's systemd, over D-Bus (org.freedesktop.systemd1(5)).</summary>
public sealed class SystemdManager : IDisposable
{
    private const string Name = "org.freedesktop.systemd1";
    private const string ManagerPath = "/org/freedesktop/systemd1";
    private const string ManagerInterface = Name + ".Manager";
    private const string BusName = "org.freedesktop.DBus";

    // systemd's own socket, which needs no bus; and the system's bus.
    private const string PrivateSocket = "/run/systemd/private";
    private const string BusSocket = "/run/dbus/system_bus_socket";
    private const string BootMark = "/run/systemd/system";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly BusConnection _connection;

    /// <param name="connection">Now owned by this.</param>
    /// <param name="throughBus">It leads to a bus rather than to systemd itself.</param>
    internal SystemdManager(BusConnection connection, bool throughBus)
    {
        _connection = connection;
        if (throughBus)
        {
            Subscribe();
        }
    }

    /// <exception cref="WherryException">The host was not booted with systemd (sd_booted(3)), we are not root, or systemd can't be reached.</exception>
    public static SystemdManager Connect()
    {
        const string refusal = "systemd cgroup flag passed, but systemd support for managing cgroups is not available";
        return Environment.IsPrivilegedProcess && !UserNamespace.IsInside
            ? TryConnect() ?? throw WherryException.Unsupported($"{refusal}: systemd does not run this host (there is no {BootMark}); leave the flag out to have cgroups made without it")
            : throw WherryException.Unsupported($"{refusal} to ordinary users; leave the flag out");
    }

    /// <summary>Null where systemd does not run the host.</summary>
    public static SystemdManager? TryConnect()
    {
        if (!Directory.Exists(BootMark))
        {
            return null;
        }

        if (BusConnection.TryOpen(PrivateSocket, Patience) is { } direct)
        {
            return Own(direct, static connection =>
            {
                connection.Wake();
                return new SystemdManager(connection, throughBus: false);
            });
        }

        var bus = BusConnection.TryOpen(BusSocket, Patience)
            ?? throw WherryException.System($"systemd runs this host but can be reached neither at {PrivateSocket} nor at {BusSocket}");
        return Own(bus, static connection => new SystemdManager(connection, throughBus: true));
    }

    /// <summary>Makes a unit that is gone when it is stopped, and waits until it is there.</summary>
    /// <exception cref="WherryException">There is one of that name, or systemd would not make it.</exception>
    public void Start(string unit, IReadOnlyList<UnitProperty> properties)
    {
        try
        {
            TryStart(unit, properties);
        }
        catch (BusException e) when (e.Name == Name + ".UnitExists")
        {
            // One that has failed keeps its name until somebody has taken notice of it.
            ResetFailed(unit);
            TryStart(unit, properties);
        }
    }

    /// <summary>Changes properties of a unit until it is stopped.</summary>
    public void Set(string unit, IReadOnlyList<UnitProperty> properties)
    {
        if (properties.Count == 0)
        {
            return;
        }

        Call("SetUnitProperties", "sba(sv)", writer =>
        {
            writer.Write(unit);
            writer.Write(true);
            Write(writer, properties);
        });
    }

    /// <summary>Stops a scope, waits until it is, and has its name forgotten; one that isn't there is stopped.</summary>
    /// <param name="unit">Its name.</param>
    /// <param name="cgroup">Its cgroup's path: a scope of that name with another is somebody else's, and left alone.</param>
    public void Stop(string unit, string cgroup)
    {
        if (CgroupOf(unit) is { Length: > 0 } path && path != cgroup)
        {
            return;
        }

        try
        {
            Finish(unit, Call("StopUnit", "ss", writer =>
            {
                writer.Write(unit);
                writer.Write("replace");
            }));
        }
        catch (BusException e) when (e.Name == Name + ".NoSuchUnit")
        {
            // With its last process it has ended by itself.
        }

        ResetFailed(unit);
    }

    public void Dispose() => _connection.Dispose();

    private static SystemdManager Own(BusConnection connection, Func<BusConnection, SystemdManager> make)
    {
        try
        {
            return make(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    // On a bus nothing is heard that was not asked for.
    private void Subscribe()
    {
        CallBus("Hello", "", _ => { });
        CallBus("AddMatch", "s", writer => writer.Write($"type='signal',sender='{Name}',interface='{ManagerInterface}',member='JobRemoved'"));
        Call("Subscribe", "", _ => { });
    }

    private void TryStart(string unit, IReadOnlyList<UnitProperty> properties) =>
        Finish(unit, Call("StartTransientUnit", "ssa(sv)a(sa(sv))", writer =>
        {
            writer.Write(unit);
            writer.Write("replace");
            Write(writer, properties);
            writer.WriteArray(8, _ => { });
        }));

    // Empty for one that has ended or isn't there.
    private string CgroupOf(string unit)
    {
        try
        {
            var path = new BusReader(Call("GetUnit", "s", writer => writer.Write(unit)).Body).ReadString();
            var answer = Call(Name, path, "org.freedesktop.DBus.Properties", "Get", "ss", writer =>
            {
                writer.Write(Name + ".Scope");
                writer.Write("ControlGroup");
            });
            var reader = new BusReader(answer.Body);
            return reader.ReadSignature() == "s" ? reader.ReadString() : "";
        }
        catch (BusException e) when (e.Name == Name + ".NoSuchUnit")
        {
            return "";
        }
    }

    private void ResetFailed(string unit)
    {
        try
        {
            Call("ResetFailedUnit", "s", writer => writer.Write(unit));
        }
        catch (BusException e) when (e.Name == Name + ".NoSuchUnit")
        {
            // It is forgotten already.
        }
    }

    /// <param name="unit">Whose job it is.</param>
    /// <param name="answer">With the job's path.</param>
    private void Finish(string unit, BusMessage answer)
    {
        if (answer.Signature != "o")
        {
            throw new BusException($"systemd answered with \"{answer.Signature}\" instead of a job's path");
        }

        var job = new BusReader(answer.Body).ReadString();
        var result = "";
        _connection.WaitForSignal(signal => IsEndOf(job, signal, out result));
        if (result != "done")
        {
            throw WherryException.System($"systemd's job for the unit {unit} ended with \"{result}\"; its journal says why");
        }
    }

    private static bool IsEndOf(string job, BusMessage signal, out string result)
    {
        result = "";
        if (signal is not { Interface: ManagerInterface, Member: "JobRemoved", Signature: "uoss" })
        {
            return false;
        }

        var reader = new BusReader(signal.Body);
        _ = reader.ReadUInt32();
        var isIt = reader.ReadString() == job;
        _ = reader.ReadString();
        result = reader.ReadString();
        return isIt;
    }

    private static void Write(BusWriter writer, IReadOnlyList<UnitProperty> properties) => writer.WriteArray(8, array =>
    {
        foreach (var property in properties)
        {
            property.WriteTo(array);
        }
    });

    private BusMessage Call(string member, string signature, Action<BusWriter> writeBody) =>
        Call(Name, ManagerPath, ManagerInterface, member, signature, writeBody);

    private void CallBus(string member, string signature, Action<BusWriter> writeBody) =>
        Call(BusName, "/org/freedesktop/DBus", BusName, member, signature, writeBody);

    private BusMessage Call(string destination, string path, string @interface, string member, string signature, Action<BusWriter> writeBody)
    {
        var body = new BusWriter();
        writeBody(body);
        return _connection.Call(new BusMessage
        {
            Kind = BusMessageKind.Call,
            Destination = destination,
            Path = path,
            Interface = @interface,
            Member = member,
            Signature = signature,
            Body = body.Written.ToArray(),
        });
    }
}
