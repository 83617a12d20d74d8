using System.Globalization;
using System.Net;

namespace Wherry.EndToEnd.Tests;

/// <summary>
/// A database packaged by hand, as people first did with Docker: from an interactive shell to a service; one with either
/// client.
/// </summary>
public sealed class StoryTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Fact]
    public Task Postgresql_packaged_by_hand_serves_and_keeps_its_rows() => PackagedByHandAsync(Clients.Docker, new Database
    {
        Packages = "postgresql",
        Image = "handmade-postgresql",
        Port = 5432,
        Start = """
            set -e
            if [ ! -e /data/PG_VERSION ]; then
                chown postgres: /data
                su postgres -c "/usr/lib/postgresql/*/bin/initdb -D /data -A trust" >/dev/null
                echo "host all all all trust" >> /data/pg_hba.conf
            fi
            mkdir -p /run/postgresql; chown postgres: /run/postgresql
            cd /usr/lib/postgresql/*/bin
            exec setpriv --reuid=postgres --regid=postgres --init-groups ./postgres -D /data -c listen_addresses='*'
            """,
        Ready = "database system is ready to accept connections",
        Process = "postgres",
        Query = (port, sql) => Command.RunAsync(Binaries.Need("psql"), "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-X", "-A", "-t", "-q", "-c", sql),
    });

    [Fact]
    public Task Mariadb_packaged_by_hand_serves_and_keeps_its_rows() => PackagedByHandAsync(Clients.Wherry, new Database
    {
        Packages = "mariadb-server",
        Image = "handmade-mariadb",
        Port = 3306,
        Start = """
            set -e
            if [ ! -d /data/mysql ]; then
                chown mysql: /data
                mariadb-install-db --user=mysql --datadir=/data >/dev/null
            fi
            mkdir -p /run/mysqld; chown mysql: /run/mysqld
            echo "CREATE USER IF NOT EXISTS app IDENTIFIED BY 'app';" > /run/mysqld/init.sql
            echo "GRANT ALL ON *.* TO app;" >> /run/mysqld/init.sql
            exec mariadbd --user=mysql --datadir=/data --bind-address=0.0.0.0 --init-file=/run/mysqld/init.sql
            """,
        Ready = "ready for connections",
        Process = "mariadbd",
        Query = (port, sql) => Command.RunAsync(Binaries.Need("mysql"), "-h", "127.0.0.1", "-P", port, "--protocol=tcp", "-uapp", "-papp", "-N", "-B", "-e", $"CREATE DATABASE IF NOT EXISTS d; USE d; {sql}"),
    });

    private async Task PackagedByHandAsync(string kind, Database database)
    {
        var client = Client(kind);
        await BaseImages.LoadAsync(Engine, BaseImages.Debian);
        var builder = $"builder-{database.Image}-{kind}";
        var image = $"{database.Image}-{kind}";

        // A person at a keyboard.
        using (var terminal = client.StartInTerminal("run", "-it", "--name", builder, "debian:bookworm", "bash"))
        {
            await terminal.SeesAsync("# ");
            terminal.Type($"export DEBIAN_FRONTEND=noninteractive; apt-get update && apt-get install -y --no-install-recommends {database.Packages} && apt-get clean; echo code-$?-\n");
            await terminal.SeesAsync("code-0-", seconds: 400);
            terminal.Type("exit\n");
            Assert.Equal(0, await terminal.ExitAsync());
        }

        await client.TextAsync("commit", "-m", "made by hand", "--change", $"EXPOSE {database.Port}", builder, image);

        // A service.
        var data = HostDirectory();
        var port = Ports.Free().ToString(CultureInfo.InvariantCulture);
        var name = $"db-{database.Image}-{kind}";
        await client.DetachedAsync("--name", name, "-p", $"{port}:{database.Port}", "-v", $"{data}:/data", "-v", "/scratch", image, "sh", "-c", database.Start);
        await ReadyAsync(client, name, database, times: 1);

        await QueryAsync(database, port, "CREATE TABLE cargo (what VARCHAR(50), crates INT);");
        await QueryAsync(database, port, "INSERT INTO cargo VALUES ('rope', 3), ('tar', 7);");
        Assert.Equal("10", (await QueryAsync(database, port, "SELECT SUM(crates) FROM cargo;")).Text);
        if (Ports.HostHasIPv6Loopback)
        {
            await Ports.AskUntilConnectedAsync(IPAddress.IPv6Loopback, int.Parse(port, CultureInfo.InvariantCulture));
        }

        // Stopped and started, the rows are there.
        (await client.RunAsync(["stop", name], input: null)).Succeeded();
        Assert.Contains("Exited (", await client.TextAsync("ps", "-a", "--filter", "name=" + name), StringComparison.Ordinal);
        await client.TextAsync("start", name);
        await ReadyAsync(client, name, database, times: 2);
        Assert.Equal("2", (await QueryAsync(database, port, "SELECT COUNT(*) FROM cargo;")).Text);

        // What databases do with files.
        foreach (var file in new[] { "/direct", "/data/direct", "/scratch/direct" })
        {
            (await client.RunAsync("exec", name, "sh", "-c", $"dd if=/dev/zero of={file} bs=4096 count=8 oflag=direct && dd if={file} of=/dev/null bs=4096 iflag=direct")).Succeeded();
        }

        using (var shell = client.StartInTerminal("exec", "-it", name, "bash"))
        {
            await shell.SeesAsync("# ");
            shell.Type("for p in /proc/[0-9]*; do cat $p/comm; done; echo listed-$((1+1))\n");
            await shell.SeesAsync("listed-2");
            Assert.Contains(database.Process, shell.Screen, StringComparison.Ordinal);
            shell.Type("exit\n");
            Assert.Equal(0, await shell.ExitAsync());
        }

        var table = await client.TextAsync("ps");
        Assert.Contains($"0.0.0.0:{port}->{database.Port}/tcp", table, StringComparison.Ordinal);
        Assert.Contains("Up ", table, StringComparison.Ordinal);

        var hello = await client.DetachedAsync("--name", $"hello-{image}", image, "echo", "hello");
        Assert.Equal("0", await client.TextAsync("wait", hello));
        Assert.Equal("hello", await client.TextAsync("logs", hello));
        Assert.Contains("Exited (0)", await client.TextAsync("ps", "-a", "--filter", "id=" + hello), StringComparison.Ordinal);

        var id = await client.FieldAsync(name, "{{.Id}}");
        (await client.RunAsync("rm", "-v", builder, hello)).Succeeded();
        (await client.RunAsync("rmi", image)).Refused(id[..12]);

        // Nothing is left but the image, until it is removed as well.
        await client.TextAsync("stop", name);
        (await client.RunAsync("rm", "-v", name)).Succeeded();
        await Leaks.AssertNoneAsync(Engine);
        await client.TextAsync("rmi", image);
        await Ports.AssertRefusedAsync(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture));
    }

    private static Task ReadyAsync(Client client, string name, Database database, int times) => Eventually.TrueAsync(
        async () =>
        {
            var logs = await client.RunAsync("logs", name);
            return (logs.Output + logs.Error).Split(database.Ready).Length > times;
        },
        $"the database says \"{database.Ready}\"",
        seconds: 60);

    private static async Task<CommandResult> QueryAsync(Database database, string port, string sql)
    {
        CommandResult? result = null;
        await Eventually.TrueAsync(async () => (result = await database.Query(port, sql)).ExitCode == 0 || !result.Error.Contains("connect", StringComparison.OrdinalIgnoreCase), "the database answers");
        return result!.Succeeded();
    }

    private sealed record Database
    {
        public required string Packages { get; init; }

        public required string Image { get; init; }

        public required int Port { get; init; }

        /// <summary>What the container runs: prepares /data the first time, then becomes the server.</summary>
        public required string Start { get; init; }

        /// <summary>What the server's log says when it accepts connections.</summary>
        public required string Ready { get; init; }

        public required string Process { get; init; }

        /// <summary>Asks the server from the host, by port and SQL.</summary>
        public required Func<string, string, Task<CommandResult>> Query { get; init; }
    }
}
