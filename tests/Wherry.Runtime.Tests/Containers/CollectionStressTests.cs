using System.Diagnostics;
using System.Globalization;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Containers;

[Collection(ContainerCollection.Name)]
public sealed class CollectionStressTests
{
    [Fact]
    public async Task Three_thousand_execs_survive_collections_in_other_threads()
    {
        const int execs = 3000;
        await using var container = await StartAsync(["sleep", "1000"]);
        var program = await PublishAsync();
        using var stress = Process.Start(new ProcessStartInfo(
            program,
            [container.Sandbox.HostPid!.Value.ToString(CultureInfo.InvariantCulture), container.Location.CgroupsPath, execs.ToString(CultureInfo.InvariantCulture)])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        })!;
        var output = stress.StandardOutput.ReadToEndAsync(Cancel);
        await stress.WaitForExitAsync(Cancel).WaitAsync(TimeSpan.FromMinutes(3), Cancel);
        var numbers = (await output).Split(' ');
        Assert.Equal(0, stress.ExitCode);
        Assert.Equal(execs, int.Parse(numbers[0], CultureInfo.InvariantCulture));
        Assert.True(int.Parse(numbers[1], CultureInfo.InvariantCulture) > 1000, $"only {numbers[1]} collections");
    }

    // Beside the supervisor where the build has left it, else published now.
    private static async Task<string> PublishAsync()
    {
        var ready = Path.Combine(Path.GetDirectoryName(TestHost.ShimPath)!, "wherry-runtime-stress");
        if (File.Exists(ready))
        {
            return ready;
        }

        var project = Path.Combine(TestHost.Repository, "tests/Wherry.Runtime.Stress");
        var output = Path.Combine(TestHost.Directory, "stress");
        using var publish = Process.Start(new ProcessStartInfo("dotnet", ["publish", project, "-c", "Release", "-r", "linux-x64", "-o", output, "-v", "quiet", "-nologo"]))!;
        await publish.WaitForExitAsync(Cancel);
        Assert.Equal(0, publish.ExitCode);
        return Path.Combine(output, "wherry-runtime-stress");
    }
}
