using System.Globalization;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>
/// A service manager of an ordinary user's, in a cgroup that is his: what logind starts with a session, without one.
/// Only a host that systemd runs can have it; eng/vm/test.sh boots such ones.
/// </summary>
public sealed class UserManager : IAsyncDisposable
{
    private const string BootMark = "/run/systemd/system";
    private const string Accounts = "/run/userdb";

    // What Debian gives users.
    private const string Controllers = "memory pids cpu";

    private readonly OrdinaryHost _host;
    private readonly string _name;
    private readonly List<string> _files = [];

    private UserManager(OrdinaryHost host)
    {
        _host = host;
        _name = $"wherry-e2e-{host.Uid.ToString(CultureInfo.InvariantCulture)}";
    }

    /// <summary>Its cgroup's path below the tree's root.</summary>
    public string ControlGroup => $"/{Slice}/{Unit}";

    /// <summary>Users here can have one.</summary>
    public static bool IsPossible => Directory.Exists(BootMark) && DelegatedCgroup.IsUnified;

    /// <summary>Skips the test where they can't.</summary>
    public static void Need() => Assert.SkipUnless(IsPossible, "systemd does not run this host on a unified tree; eng/vm/test.sh boots one that it does run");

    /// <param name="host">The user's.</param>
    public static async Task<UserManager> StartAsync(OrdinaryHost host)
    {
        var manager = new UserManager(host);
        try
        {
            await manager.StartAsync();
            return manager;
        }
        catch
        {
            await manager.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks it something.</summary>
    public Task<CommandResult> SystemctlAsync(params string[] arguments) => _host.RunAsync(["systemctl", "--user", .. arguments]);

    public async Task<string> ShowAsync(string unit, string property) => (await SystemctlAsync("show", "--property", property, "--value", unit)).Succeeded().Text;

    public async ValueTask DisposeAsync()
    {
        await Command.RunAsync("systemctl", "stop", Unit);
        await Command.RunAsync("systemctl", "stop", Slice);
        await Command.RunAsync("systemctl", "reset-failed", Unit);
        _files.ForEach(File.Delete);
        await Command.RunAsync("systemctl", "daemon-reload");
    }

    private string Unit => $"{_name}.service";

    // Apart from other units, whose controllers the user would have as well.
    private string Slice => $"wherrye2e{Uid}.slice";

    private string Uid => _host.Uid.ToString(CultureInfo.InvariantCulture);

    // As user@.service(5) is, but for its start: that has to enter the user's host first, which takes root. Without the usual
    // dependencies, as these would have a machine that has not booted further than to its tests empty /tmp.
    private async Task StartAsync()
    {
        // The user is known on his own host alone; here systemd has to know him to give him a cgroup (nss-systemd(8)).
        Directory.CreateDirectory(Accounts);
        Account("user", $$"""{ "userName": "{{_name}}", "uid": {{Uid}}, "gid": {{Uid}}, "homeDirectory": "/nonexistent", "shell": "/bin/sh" }""");
        Account("group", $$"""{ "groupName": "{{_name}}", "gid": {{Uid}} }""");
        Write(Path.Combine(BootMark, Unit), $"""
            [Unit]
            DefaultDependencies=no
            [Service]
            Slice={Slice}
            User={Uid}
            Delegate={Controllers}
            ExecStart=+{_host.AsUser} env -u XDG_DATA_HOME -u XDG_CONFIG_HOME /lib/systemd/systemd --user --unit=basic.target
            """);
        (await Command.RunAsync("systemctl", "daemon-reload")).Succeeded();
        (await Command.RunAsync("systemctl", "start", Unit)).Succeeded();
        await Eventually.TrueAsync(async () => (await SystemctlAsync("show", "--property=Version")).ExitCode == 0, "the user's service manager answers", seconds: 60);
    }

    // Found by name and by number.
    private void Account(string kind, string record)
    {
        Write(Path.Combine(Accounts, $"{_name}.{kind}"), record);
        Write(Path.Combine(Accounts, $"{Uid}.{kind}"), record);
    }

    private void Write(string path, string text)
    {
        _files.Add(path);
        File.WriteAllText(path, text);
    }
}
