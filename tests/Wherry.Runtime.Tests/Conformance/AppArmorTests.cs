using System.Diagnostics;
using Wherry.Errors;
using Wherry.Linux.AppArmor;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Conformance;

/// <summary>process.apparmorProfile, on kernels that have AppArmor.</summary>
[Collection(ContainerCollection.Name)]
public sealed class AppArmorTests
{
    private const string Profile = "wherry-runtime-test";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [SpecProperty("process.apparmorProfile")]
    public async Task The_program_is_under_the_profile_asked_for_and_so_is_the_first_process(bool init)
    {
        Require();
        await ParseAsync($"profile {Profile} flags=(attach_disconnected) {{\n file,\n signal,\n deny /tmp/forbidden w,\n}}\n");

        // The first process goes under the profile thread by thread once the program, which it starts, is on its way.
        const string wait = "for i in $(busybox seq 300); do cat /proc/1/task/*/attr/current | busybox grep -q unconfined || break; busybox sleep 0.1; done";
        var output = await OutputOfAsync(
            $"{wait}; cat /proc/self/attr/current; for task in /proc/1/task/*; do cat $task/attr/current; done | busybox uniq; echo x > /tmp/forbidden || echo refused",
            request => WithOptions(WithProcess(request, process => process with { ApparmorProfile = Profile }), options => options with { Init = init }));
        Assert.Equal($"{Profile} (enforce)\n{Profile} (enforce)\nrefused\n", output);
    }

    /// <summary>What is looked up in /sys and /proc must be the host's.</summary>
    [Fact]
    public async Task A_container_without_sys_and_proc_is_under_its_profile_too()
    {
        Require();
        await ParseAsync($"profile {Profile} flags=(attach_disconnected) {{\n file,\n deny /tmp/forbidden w,\n}}\n");
        var output = await OutputOfAsync(
            "echo x > /tmp/forbidden || echo refused",
            request => WithProcess(request with { Spec = request.Spec with { Mounts = [] } }, process => process with { ApparmorProfile = Profile }));
        Assert.Equal("refused\n", output);
    }

    [Fact]
    [SpecProperty("process.apparmorProfile (refused where no such profile is loaded)")]
    public async Task An_unknown_profile_is_refused_by_name_before_anything_is_made()
    {
        Require();
        await using var container = await CreateAsync(["true"], request => WithProcess(request, process => process with { ApparmorProfile = "no-such-profile" }));
        var failure = await Assert.ThrowsAnyAsync<WherryException>(() => container.Sandbox.StartAsync(Cancel));
        Assert.StartsWith("process.apparmorProfile: no AppArmor profile \"no-such-profile\"", failure.Message);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(container.Location.BundleDirectory, "upper")));
    }

    private static void Require()
    {
        Harness.TestHost.Require();
        Assert.SkipUnless(AppArmorKernel.IsEnabled && AppArmorKernel.HasProfile("") is not null, "this kernel has no AppArmor; the virtual machine's has");
    }

    private static async Task ParseAsync(string text)
    {
        using var parser = Process.Start(new ProcessStartInfo("apparmor_parser", ["--replace", "--skip-cache"]) { RedirectStandardInput = true, UseShellExecute = false })!;
        await parser.StandardInput.WriteAsync(text);
        parser.StandardInput.Close();
        await parser.WaitForExitAsync(Cancel);
        Assert.Equal(0, parser.ExitCode);
    }
}
