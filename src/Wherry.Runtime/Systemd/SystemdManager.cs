using Wherry.Errors;
using Wherry.Linux.DBus;

namespace Wherry.Runtime.Systemd;

/// <summary>A systemd that makes cgroups for us, over D-Bus (org.freedesktop.systemd1(5)).</summary>
public sealed class SystemdManager : IDisposable
{
    private const string Name = "org.freedesktop.systemd1";
    private const string ManagerPath = "/org/freedesktop/systemd1";
    private const string ManagerInterface = Name + ".Manager";
    private const string BusName = "org.freedesktop.DBus";

    private readonly BusConnection _connection;

    /// <param name="connection">Now owned by this.</param>
    /// <param name="isUsers">See <see cref="IsUsers"/>.</param>
    internal SystemdManager(BusConnection connection, bool isUsers)
    {
        _connection = connection;
        IsUsers = isUsers;
    }

    /// <summary>It is an ordinary user's own, whose units lie below it, rather than the host's.</summary>
    public bool IsUsers { get; }

    /// <summary>Where its cgroup lies, below the v2 tree's root.</summary>
    public string ReadControlGroup() => Get(ManagerPath, ManagerInterface, "ControlGroup");

    /// <summary>By a socket of systemd's own, which needs no bus; null where nobody listens.</summary>
    /// <param name="socket">The socket's path.</param>
    /// <param name="isUsers">See <see cref="IsUsers"/>.</param>
    /// <param name="patience">How long to wait for each answer.</param>
    /// <exception cref="WherryException">What listens does not let us in, or is no systemd.</exception>
    internal static SystemdManager? TryConnect(string socket, bool isUsers, TimeSpan patience) => TryConnect(socket, isUsers, patience, static manager => manager._connection.Wake());

    /// <inheritdoc cref="TryConnect(string, bool, TimeSpan)"/>
    /// <summary>By a bus that systemd is on; null where nobody listens.</summary>
    internal static SystemdManager? TryConnectOverBus(string socket, bool isUsers, TimeSpan patience) => TryConnect(socket, isUsers, patience, static manager => manager.Subscribe());

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

    private static SystemdManager? TryConnect(string socket, bool isUsers, TimeSpan patience, Action<SystemdManager> begin)
    {
        if (BusConnection.TryOpen(socket, patience) is not { } connection)
        {
            return null;
        }

        var manager = new SystemdManager(connection, isUsers);
        try
        {
            begin(manager);
            return manager;
        }
        catch
        {
            manager.Dispose();
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
            return Get(path, Name + ".Scope", "ControlGroup");
        }
        catch (BusException e) when (e.Name == Name + ".NoSuchUnit")
        {
            return "";
        }
    }

    // Empty for one that is no text.
    private string Get(string path, string @interface, string property)
    {
        var answer = Call(Name, path, "org.freedesktop.DBus.Properties", "Get", "ss", writer =>
        {
            writer.Write(@interface);
            writer.Write(property);
        });
        var reader = new BusReader(answer.Body);
        return reader.ReadSignature() == "s" ? reader.ReadString() : "";
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
