using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Validation;
using Wherry.Oci.Images;

namespace Wherry.Engine.Tests.Validation;

public sealed class ConfigMergeTests
{
    private static readonly ImageConfig Image = new()
    {
        Config = new ExecutionParameters
        {
            User = "web",
            Env = ["PATH=/image", "LANG=C", "EMPTY="],
            Cmd = ["serve"],
            Entrypoint = ["/entry"],
            WorkingDir = "/srv",
            StopSignal = "SIGQUIT",
            Labels = new Dictionary<string, string> { ["a"] = "image", ["b"] = "image" },
            ExposedPorts = new Dictionary<string, Wherry.Oci.Images.EmptyObject> { ["80/tcp"] = new() },
            Volumes = new Dictionary<string, Wherry.Oci.Images.EmptyObject> { ["/data"] = new() },
            Healthcheck = new Healthcheck { Test = ["CMD", "probe"], Interval = 5 },
        },
    };

    private static ContainerConfig Merge(ContainerConfig asked) => ConfigMerge.WithImageDefaults(asked, Image);

    public static TheoryData<string[]?, string[]?, string[]?, string[]?> Commands => new()
    {
        { null, null, ["/entry"], ["serve"] },
        { null, ["other"], ["/entry"], ["other"] },
        { ["/new"], null, ["/new"], null },
        { ["/new"], ["x"], ["/new"], ["x"] },
        { [""], ["x"], null, ["x"] },
        { [""], null, null, null },
        { [], null, [], ["serve"] },
    };

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_new_entrypoint_drops_the_image_s_command(string[]? entrypoint, string[]? cmd, string[]? expectedEntrypoint, string[]? expectedCmd)
    {
        var merged = Merge(new ContainerConfig { Entrypoint = entrypoint, Cmd = cmd });
        Assert.Equal(expectedEntrypoint, merged.Entrypoint);
        Assert.Equal(expectedCmd, merged.Cmd);
    }

    [Fact]
    public void The_client_s_variables_come_first_and_overrule_the_image_s() =>
        Assert.Equal(["LANG=de", "EMPTY", "PATH=/image"], Merge(new ContainerConfig { Env = ["LANG=de", "EMPTY"] }).Env!);

    [Fact]
    public void What_is_left_open_comes_from_the_image()
    {
        var merged = Merge(new ContainerConfig { Labels = new() { ["a"] = "asked" }, Volumes = new() { ["/more"] = new() } });
        Assert.Equal(("web", "/srv", "SIGQUIT"), (merged.User, merged.WorkingDir, merged.StopSignal));
        Assert.Equal(("asked", "image"), (merged.Labels!["a"], merged.Labels["b"]));
        Assert.Equal(["/data", "/more"], merged.Volumes!.Keys.Order());
        Assert.Equal(["80/tcp"], merged.ExposedPorts!.Keys);
        Assert.Equal((5, "probe"), (merged.Healthcheck!.Interval, merged.Healthcheck.Test![1]));
    }

    [Fact]
    public void What_is_asked_for_wins()
    {
        var merged = Merge(new ContainerConfig { User = "root", WorkingDir = "/", StopSignal = "INT" });
        Assert.Equal(("root", "/", "INT"), (merged.User, merged.WorkingDir, merged.StopSignal));
    }

    [Fact]
    public void An_image_without_a_configuration_changes_nothing() =>
        Assert.Equal(["x"], ConfigMerge.WithImageDefaults(new ContainerConfig { Cmd = ["x"] }, new ImageConfig()).Cmd!);

    [Fact]
    public void Host_defaults_are_those_that_inspect_shows()
    {
        var host = HostConfigDefaults.Apply(new HostConfig { Memory = 64 << 20 }, SampleHosts.Ordinary);
        Assert.Equal(("bridge", "private", "host", "no", "json-file"), (host.NetworkMode, host.IpcMode, host.CgroupnsMode, host.RestartPolicy.Name, host.LogConfig.Type));
        Assert.Equal((64L << 20, 128L << 20), (host.ShmSize, host.MemorySwap));
        Assert.Contains("/proc/kcore", host.MaskedPaths!);
        Assert.Equal("private", HostConfigDefaults.Apply(new HostConfig(), SampleHosts.Unified).CgroupnsMode);
        Assert.Equal(host, HostConfigDefaults.Apply(host, SampleHosts.Ordinary));
    }
}
