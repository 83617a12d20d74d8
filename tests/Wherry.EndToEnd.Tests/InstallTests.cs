namespace Wherry.EndToEnd.Tests;

/// <summary>make install and make uninstall.</summary>
public sealed class InstallTests
{
    [Fact]
    public async Task Installing_and_uninstalling_under_a_staging_directory_leaves_it_empty()
    {
        var staging = Directory.CreateTempSubdirectory("wherry-install-").FullName;
        try
        {
            var environment = new Dictionary<string, string?>
            {
                ["DESTDIR"] = staging,
                ["BINDIR"] = "/usr/local/bin",
                ["LIBEXECDIR"] = "/usr/local/libexec/wherry",
                ["UNITDIR"] = "/etc/systemd/system",
                ["USERUNITDIR"] = "/etc/systemd/user",
                ["SHAREDIR"] = "/usr/local/share",
                ["PURGE"] = "",
            };
            (await ScriptAsync("install.sh", environment, Binaries.Out)).Succeeded();

            foreach (var file in new[]
            {
                "usr/local/bin/wherry", "usr/local/bin/wherryd", "usr/local/bin/wherry-oci", "usr/local/libexec/wherry/wherry-shim", "etc/systemd/system/wherryd.service",
                "etc/systemd/system/wherry-registry.service", "etc/systemd/user/wherryd.service",
                "usr/local/share/bash-completion/completions/wherry", "usr/local/share/zsh/site-functions/_wherry", "usr/local/share/fish/vendor_completions.d/wherry.fish",
            })
            {
                Assert.True(new FileInfo(Path.Combine(staging, file)) is { } info && (info.Exists || info.LinkTarget is not null), file);
            }

            var unit = await File.ReadAllTextAsync(Path.Combine(staging, "etc/systemd/system/wherryd.service"), TestContext.Current.CancellationToken);
            Assert.Contains("ExecStart=/usr/local/bin/wherryd", unit, StringComparison.Ordinal);
            Assert.Contains("KillMode=process", unit, StringComparison.Ordinal);
            Assert.Contains("Delegate=yes", unit, StringComparison.Ordinal);

            await RunsAsync(Path.Combine(staging, "usr/local/bin/wherryd"));

            (await ScriptAsync("uninstall.sh", environment)).Succeeded();
            Assert.Empty(Directory.EnumerateFiles(staging, "*", SearchOption.AllDirectories));
        }
        finally
        {
            Directory.Delete(staging, recursive: true);
        }
    }

    /// <summary>An engine from there finds what it needs from there, and runs a container.</summary>
    private static async Task RunsAsync(string wherryd)
    {
        await using var engine = await PrivateEngine.StartWrappedAsync("/bin/sh", "-c", $"shift; exec {wherryd} \"$@\"", "sh");
        var client = new Client(Clients.Wherry, Binaries.Wherry, engine.Host);
        await client.TextAsync("load", "-q", "-i", await BaseImages.ArchiveAsync(BaseImages.Busybox));
        Assert.Equal("runs", await client.TextAsync("run", "--rm", "--network", "none", "busybox", "echo", "runs"));
    }

    [Fact]
    public async Task Nothing_is_published_anew_when_nothing_has_changed()
    {
        var result = (await Command.RunAsync("make", "-C", Binaries.Repository, "-n", "--no-print-directory", "build")).Succeeded();

        Assert.DoesNotContain("publish.sh", result.Output, StringComparison.Ordinal);
    }

    private static Task<CommandResult> ScriptAsync(string name, Dictionary<string, string?> environment, params string[] arguments) =>
        Command.RunAsync("/bin/sh", ["-c", "cd \"$1\"; shift; exec \"$@\"", "sh", Binaries.Repository, $"eng/{name}", .. arguments], environment, null, Command.DefaultTimeout);
}
