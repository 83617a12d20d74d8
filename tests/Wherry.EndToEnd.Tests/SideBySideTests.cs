namespace Wherry.EndToEnd.Tests;

/// <summary>Several engines on one host don't touch each other.</summary>
public sealed class SideBySideTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Theory, BothClients]
    public async Task Two_engines_have_their_own_names_networks_and_images(string client)
    {
        await using var other = await PrivateEngine.StartNewAsync();
        await BaseImages.LoadAsync(other, BaseImages.Busybox);
        var (mine, theirs) = (Client(client), other.Client(client));
        var (myPort, theirPort) = (Ports.Free(), Ports.Free());

        await mine.DetachedAsync("--name", "same-" + client, "-p", $"{myPort}:80", "busybox", "nc", "-ll", "-p", "80", "-e", "echo", "mine");
        await theirs.DetachedAsync("--name", "same-" + client, "-p", $"{theirPort}:80", "busybox", "nc", "-ll", "-p", "80", "-e", "echo", "theirs");

        Assert.Equal("mine", await Ports.AskUntilAnsweredAsync(System.Net.IPAddress.Loopback, myPort));
        Assert.Equal("theirs", await Ports.AskUntilAnsweredAsync(System.Net.IPAddress.Loopback, theirPort));
        Assert.Single((await mine.RunAsync("ps", "-q")).Lines);
        Assert.Single((await theirs.RunAsync("ps", "-q")).Lines);

        await theirs.TextAsync("rmi", "-f", "busybox");
        (await mine.RunAsync("image", "inspect", "busybox")).Succeeded();
        await theirs.RemoveAsync("same-" + client);
        await Leaks.AssertNoneAsync(other);
        Assert.Equal("mine", await Ports.AskAsync(System.Net.IPAddress.Loopback, myPort));
        await mine.RemoveAsync("same-" + client);
    }

    [Fact]
    public async Task A_second_engine_on_the_same_directory_is_refused()
    {
        var second = await Command.RunAsync(Binaries.Wherryd, "--data-root", Engine.DataRoot, "--exec-root", Engine.ExecRoot + "-second", "-H", $"unix://{Engine.ExecRoot}/second.sock", "--bridge", Engine.Bridge);

        second.Refused(Engine.DataRoot);
        (await Docker.RunAsync("ps")).Succeeded();
    }

    [Fact]
    public async Task Options_come_from_a_configuration_file_too()
    {
        var file = Path.Combine(HostDirectory(), "daemon.json");
        await File.WriteAllTextAsync(file, """{"labels":["deck=upper"],"debug":true}""", TestContext.Current.CancellationToken);
        await using var engine = await PrivateEngine.StartNewAsync("--config-file", file);
        using var rest = engine.Rest();

        var info = (await rest.GetAsync("/info")).Json;
        Assert.Contains("deck=upper", info.GetProperty("Labels").EnumerateArray().Select(label => label.GetString()));
        Assert.True(info.GetProperty("Debug").GetBoolean());

        await File.WriteAllTextAsync(file, """{"no-such-option":1}""", TestContext.Current.CancellationToken);
        (await Command.RunAsync(Binaries.Wherryd, "--config-file", file, "--data-root", "/var/tmp/wherry-e2e/never", "--exec-root", "/run/wherry-e2e/never")).Refused("no-such-option");
        (await Command.RunAsync(Binaries.Wherryd, "--storage-driver", "no-such-driver", "--data-root", "/var/tmp/wherry-e2e/never", "--exec-root", "/run/wherry-e2e/never", "-H", "unix:///run/wherry-e2e/never/s.sock")).Refused("no-such-driver");
        (await Command.RunAsync(Binaries.Wherryd, "--no-such-option")).Refused("no-such-option");
        await Command.ShellAsync("rm -rf /var/tmp/wherry-e2e/never /run/wherry-e2e/never");
    }

    [Fact]
    public async Task The_pid_file_names_the_engine() =>
        Assert.Equal($"{Engine.ProcessId}", (await File.ReadAllTextAsync($"{Engine.ExecRoot}/wherryd.pid", TestContext.Current.CancellationToken)).Trim());
}
