using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Containers;

[Collection(ContainerCollection.Name)]
public sealed class ConfinementTests
{
    [Fact]
    public async Task The_five_capability_sets_are_as_asked()
    {
        var output = await OutputOfAsync("grep -E '^Cap' /proc/self/status", request => WithProcess(request, process => process with
        {
            User = new User { Uid = 1000, Gid = 1001 },
            Capabilities = new Oci.Runtime.Capabilities
            {
                Bounding = ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"],
                Permitted = ["CAP_KILL", "CAP_NET_RAW"],
                Effective = ["CAP_KILL", "CAP_NET_RAW"],
                Inheritable = ["CAP_NET_RAW"],
                Ambient = ["CAP_NET_RAW"],
            },
        }));

        // After execve by a user other than root, permitted and effective are what is ambient.
        Assert.Equal("CapInh:\t0000000000002000\nCapPrm:\t0000000000002000\nCapEff:\t0000000000002000\nCapBnd:\t0000000000002021\nCapAmb:\t0000000000002000\n", output);
    }

    [Fact]
    public async Task Without_capabilities_asked_for_there_are_none()
    {
        var output = await OutputOfAsync("grep -E '^Cap' /proc/self/status", request => WithProcess(request, process => process with { Capabilities = null }));
        Assert.All(output.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.EndsWith("0000000000000000", line));
    }

    [Fact]
    public async Task No_new_privileges_is_set_when_asked_for()
    {
        var output = await OutputOfAsync("grep NoNewPrivs /proc/self/status", request => WithProcess(request, process => process with { NoNewPrivileges = true }));
        Assert.Equal("NoNewPrivs:\t1\n", output);
    }

    [Fact]
    public async Task Masked_and_read_only_paths_are()
    {
        await using var container = await StartAsync(["sh", "-c", "wc -c < /proc/timer_list; ls /sys/firmware | wc -l; echo x > /proc/sys/kernel/domainname; touch /proc/timer_list && chmod 600 /proc/timer_list; echo $?"]);
        await container.ExitAsync();
        Assert.Equal("0\n0\n1\n", container.Log("stdout"));
        Assert.Contains("Read-only file system", container.Log("stderr"));
    }

    [Fact]
    public async Task A_read_only_root_is_but_mounts_below_are_not()
    {
        await using var container = await StartAsync(["sh", "-c", "touch /x; touch /dev/shm/y && echo ok"], request => request with { Spec = request.Spec with { Root = request.Spec.Root! with { Readonly = true } } });
        await container.ExitAsync();
        Assert.Equal("ok\n", container.Log("stdout"));
        Assert.Contains("Read-only file system", container.Log("stderr"));
    }

    [Fact]
    public async Task No_descriptor_or_directory_of_the_hosts_leaks_in()
    {
        var output = await OutputOfAsync("ls /proc/self/fd; readlink /proc/1/cwd; readlink /proc/1/root; ls / | wc -l");

        // 3 is ls's own directory.
        Assert.StartsWith("0\n1\n2\n3\n/\n/\n", output);
        await using var container = await StartAsync(["sleep", "1000"]);
        Assert.Equal("0\n1\n2\n3\n", (await container.ExecAsync(["ls", "/proc/self/fd"])).Stdout);
    }

    [Fact]
    public async Task A_link_in_the_image_leads_no_mount_outside()
    {
        var outside = Path.Combine(TestHost.Directory, "outside");
        Directory.CreateDirectory(outside);
        await using var container = Prepare(["true"]);
        var layer = Path.Combine(container.Location.BundleDirectory, "layer");
        Directory.CreateDirectory(layer);
        File.CreateSymbolicLink(Path.Combine(layer, "absolute"), outside);
        File.CreateSymbolicLink(Path.Combine(layer, "upwards"), "../../../../../../../../../.." + outside);
        var output = await OutputOfAsync($"cat /absolute/seed {outside}/seed; ls /upwards", request => WithOptions(request, options => options with { Rootfs = [options.Rootfs[0] with { LowerDirectories = [layer, TestHost.RootFilesystem] }] }) with
        {
            Spec = request.Spec with
            {
                Mounts =
                [
                    .. request.Spec.Mounts,
                    new Mount { Destination = "/absolute/.", Type = "bind", Source = Path.Combine(TestHost.RootFilesystem, "data"), Options = ["bind", "ro"] },
                ],
            },
        });
        Assert.Empty(Directory.GetFileSystemEntries(outside));
        Assert.Contains("from the image\nfrom the image\n", output);
    }

    [Fact]
    public async Task Bind_options_are_kept()
    {
        var source = Path.Combine(TestHost.Directory, "shared");
        Directory.CreateDirectory(source);
        var output = await OutputOfAsync("grep -E ' /(ro|rw) ' /proc/self/mountinfo | busybox cut -d' ' -f5,6; touch /rw/made && ls /ro", request => request with
        {
            Spec = request.Spec with
            {
                Mounts =
                [
                    .. request.Spec.Mounts,
                    new Mount { Destination = "/ro", Type = "bind", Source = source, Options = ["rbind", "ro", "noexec", "nosuid", "nodev"] },
                    new Mount { Destination = "/rw", Type = "bind", Source = source, Options = ["rbind", "rprivate"] },
                ],
            },
        });
        Assert.Equal("/ro ro,nosuid,nodev,noexec,relatime\n/rw rw,relatime\nmade\n", output);
    }

    [Fact]
    public async Task The_container_dies_with_its_supervisor()
    {
        await using var container = await StartAsync(["sleep", "1000"]);
        var pid = container.Sandbox.HostPid!.Value;
        var shim = int.Parse(File.ReadAllText(Path.Combine(container.Location.StateDirectory, "shim.pid")).Split(' ')[0]);
        Linux.Processes.ProcessSyscalls.Kill(shim, 9);
        var exit = await container.ExitAsync();
        Assert.Equal(137, exit.ExitCode);
        Assert.Contains("supervisor", exit.Error);
        for (var i = 0; i < 100 && Directory.Exists($"/proc/{pid}/fd"); i++)
        {
            await Task.Delay(20, Cancel);
        }

        Assert.False(File.Exists($"/proc/{pid}/root/bin/sh"));
        await container.CleanUpAsync();
        Assert.Empty(container.Remains());
    }

    [Fact]
    public async Task The_supervisors_binary_cannot_be_reached_from_inside()
    {
        var before = File.GetLastWriteTimeUtc(TestHost.ShimPath);
        string[] names = [.. TestContainer.Capabilities.Bounding, "CAP_SYS_PTRACE"];
        var tracing = new Oci.Runtime.Capabilities { Bounding = names, Effective = names, Permitted = names };
        var output = await OutputOfAsync("for exe in /proc/1/exe /proc/self/exe; do (echo x > $exe) 2>&1; done; head -c 11 /proc/1/cmdline", request =>
            WithOptions(WithProcess(request, process => process with { Capabilities = tracing }), options => options with { Init = true }));

        // Not merely busy, as any running program is: a mount of its own that nobody can write to.
        Assert.Contains("/proc/1/exe: Read-only file system\n", output);
        Assert.EndsWith("wherry-init", output);
        Assert.Equal(before, File.GetLastWriteTimeUtc(TestHost.ShimPath));
    }

    [Fact]
    public async Task Sysctls_of_its_own_namespaces_are_set_and_the_hosts_are_refused()
    {
        var output = await OutputOfAsync("cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax", request => WithLinux(request, linux => linux with
        {
            Sysctl = new Dictionary<string, string> { ["net.ipv4.ip_forward"] = "1", ["kernel.msgmax"] = "12345" },
        }));
        Assert.Equal("1\n12345\n", output);
        await using var refused = await CreateAsync(["true"], request => WithLinux(request, linux => linux with { Sysctl = new Dictionary<string, string> { ["vm.swappiness"] = "1" } }));
        await Assert.ThrowsAsync<SandboxStartException>(() => refused.Sandbox.StartAsync(Cancel));
    }

    [Fact]
    public async Task A_new_volume_is_filled_from_the_image_and_only_once()
    {
        var volume = Path.Combine(TestHost.Directory, "volume");
        Directory.CreateDirectory(volume);
        SandboxRequest Mounted(SandboxRequest request) => WithOptions(request, options => options with { CopyUps = [new VolumeCopyUp(volume, "/data")] }) with
        {
            Spec = request.Spec with { Mounts = [.. request.Spec.Mounts, new Mount { Destination = "/data", Type = "bind", Source = volume, Options = ["rbind"] }] },
        };
        Assert.Equal("from the image\n", await OutputOfAsync("cat /data/seed; echo changed > /data/seed", Mounted));
        Assert.Equal("changed\n", await OutputOfAsync("cat /data/seed", Mounted));
    }
}
