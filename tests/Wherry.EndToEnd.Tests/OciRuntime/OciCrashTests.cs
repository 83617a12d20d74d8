using System.Globalization;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>Commands killed at any moment.</summary>
public sealed class OciCrashTests(OciHost host) : IClassFixture<OciHost>
{
    private const int Times = 40;

    [Fact]
    public async Task Whatever_a_killed_create_or_start_or_delete_leaves_is_deleted_by_force()
    {
        for (var time = 0; time < Times; time++)
        {
            var bundle = host.Bundle("sleep 1000");
            var id = OciHost.NewId();
            // Later and later, over about the time all three take.
            var delay = string.Create(CultureInfo.InvariantCulture, $"{time * 0.0007:F4}");
            await Command.RunAsync(
                "/bin/sh",
                "-c",
                // Whoever has been started but is not known by id yet is a child all the same.
                "rt=$1; root=$2; bundle=$3; id=$4; delay=$5; "
                + "sh -c 'for command in \"create --bundle $2 $3\" \"start $3\" \"delete --force $3\"; do \"$0\" --root \"$1\" $command & wait $!; done' \"$rt\" \"$root\" \"$bundle\" \"$id\" </dev/null >/dev/null 2>&1 & "
                + "commands=$!; sleep \"$delay\"; kill -STOP $commands; kill -KILL $(pgrep -P $commands) 2>/dev/null; kill -KILL $commands; wait $commands; true",
                "sh", Binaries.OciRuntime, host.Root, bundle, id, delay);
            (await host.RunAsync("delete", "--force", id)).Succeeded();
            Assert.False(Directory.Exists(Path.Combine(host.Root, id)), $"state is left after {delay} s");
            Assert.DoesNotContain(host.Cgroups(), path => path.EndsWith("/" + Path.GetFileName(bundle), StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_killed_run_leaves_a_container_that_others_can_delete()
    {
        var bundle = host.Bundle("echo ready; sleep 1000");
        var id = OciHost.NewId();
        using var run = Command.Start(Binaries.OciRuntime, ["--root", host.Root, "run", "--bundle", bundle, id], null);
        Assert.Equal("ready", await run.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        run.Kill();
        await run.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("running", await host.StatusAsync(id));
        (await host.RunAsync("delete", "--force", id)).Succeeded();
        (await host.RunAsync("state", id)).Failed(1, "container does not exist");
    }

    [Fact]
    public async Task Many_starts_at_once_start_the_program_once()
    {
        var bundle = host.Bundle("echo once; sleep 1000");
        var id = await host.CreateAsync(bundle);
        var results = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => host.RunAsync("start", id)));
        Assert.Single(results, result => result.ExitCode == 0);
        await Eventually.TrueAsync(() => OciHost.Output(bundle).Length > 0, "the program has run");
        Assert.Equal("once\n", OciHost.Output(bundle));
    }
}
