namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>What a hostile image may try on wherry-oci itself, beyond what the attack tests try on the engine.</summary>
public sealed class OciAttackTests(OciHost host) : IClassFixture<OciHost>
{
    // A dynamic loader of the image's: what it runs has the runtime's binary for its /proc/self/exe, and keeps that open
    // until no process runs from it any more, when the kernel would let root write to it.
    private const string Loader =
        """
        static long call(long number, long a, long b, long c) {
            long result;
            __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
            return result;
        }
        void _start(void) {
            char *words[] = {"/bin/sh", "-c", "sleep 1; echo overwritten > /proc/self/fd/9; readlink /proc/self/fd/9; sleep 1000", 0};
            char *environment[] = {"PATH=/bin", 0};
            call(33, call(2, (long)"/proc/self/exe", 0, 0), 9, 0);
            call(59, (long)words[0], (long)words, (long)environment);
            call(60, 1, 0, 0);
        }
        """;

    /// <summary>
    /// CVE-2019-5736 by a container's own program, or a detached exec: afterwards nothing keeps the runtime's binary busy.
    /// </summary>
    [Theory]
    [InlineData("/bin/target", false)]
    [InlineData("/bin/script", false)]
    [InlineData("/bin/target", true)]
    [InlineData("/bin/script", true)]
    public async Task The_runtimes_binary_cannot_be_overwritten(string program, bool byExec)
    {
        Assert.SkipUnless(System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64, "the attack is written for x86-64");
        var compiler = Binaries.Find("gcc") ?? Binaries.Need("clang");
        var (root, runtime) = (Path.Combine(host.Directory, "trap"), Path.Combine(host.Directory, "bin/wherry-oci"));
        (await Command.ShellAsync($"cp -a {host.RootFilesystem} {root}; mkdir {root}/lib64 {Path.GetDirectoryName(runtime)}; cp {Binaries.OciRuntime} {runtime}")).Succeeded();
        try
        {
            (await Command.RunAsync(compiler, ["-nostdlib", "-static-pie", "-fPIE", "-fno-stack-protector", "-O1", "-x", "c", "-o", $"{root}/lib64/ld-linux-x86-64.so.2", "-"], null, Loader, Command.DefaultTimeout)).Succeeded();
            File.CreateSymbolicLink($"{root}/bin/target", "/proc/self/exe");
            await File.WriteAllTextAsync($"{root}/bin/script", "#!/proc/self/exe\n", TestContext.Current.CancellationToken);
            File.SetUnixFileMode($"{root}/bin/script", (UnixFileMode)0b111_101_101);
            var bundle = host.Bundle(byExec ? ["/bin/sleep", "1000"] : [program], config => config["root"]!["path"] = root);
            var (id, output) = (OciHost.NewId(), Path.Combine(bundle, "output"));
            string[] commands = byExec ? [$"create --bundle {bundle} {id}", $"start {id}", $"exec --detach {id} {program}"] : [$"create --bundle {bundle} {id}", $"start {id}"];
            foreach (var command in commands)
            {
                (await Command.ShellAsync($"{runtime} --root {host.Root} {command} </dev/null >>{output} 2>&1")).Succeeded();
            }

            await Eventually.TrueAsync(() => File.ReadAllText(output).EndsWith("/\n", StringComparison.Ordinal), "the attack was tried on what the binary was reached through");
            Assert.Contains("Read-only file system", await File.ReadAllTextAsync(output, TestContext.Current.CancellationToken), StringComparison.Ordinal);
            Assert.Equal(await File.ReadAllBytesAsync(Binaries.OciRuntime, TestContext.Current.CancellationToken), await File.ReadAllBytesAsync(runtime, TestContext.Current.CancellationToken));
            (await host.RunAsync("delete", "--force", id)).Succeeded();
        }
        finally
        {
            await Command.RunAsync("rm", "-rf", root, Path.GetDirectoryName(runtime)!);
        }
    }

    /// <summary>CVE-2025-52881 and its kind: with /proc elsewhere, what is to be masked in it and written to it would be, too.</summary>
    [Fact]
    public async Task A_race_over_the_place_of_proc_is_not_won()
    {
        var root = Path.Combine(host.Directory, "raced");
        (await Command.ShellAsync($"cp -a {host.RootFilesystem} {root}; ln -s /root {root}/link")).Succeeded();
        var made = 0;
        using (var swapper = new Swapper($"{root}/proc", $"{root}/link"))
        {
            for (var i = 0; i < 30; i++)
            {
                var bundle = host.Bundle("true", config => config["root"]!["path"] = root);
                var id = OciHost.NewId();
                if ((await host.LeaveAsync(bundle, "create", "--bundle", bundle, id)).ExitCode == 0)
                {
                    made++;
                    var mounts = await File.ReadAllTextAsync($"/proc/{(await host.StateAsync(id))["pid"]}/mountinfo", TestContext.Current.CancellationToken);
                    Assert.Contains(" - proc ", mounts, StringComparison.Ordinal);
                    Assert.DoesNotContain(" /root ", mounts, StringComparison.Ordinal);
                    (await host.RunAsync("delete", "--force", id)).Succeeded();
                }
            }

            Assert.True(made > 0 && swapper.Count > made, "nothing was raced for");
        }

        await Command.RunAsync("rm", "-rf", root);
    }
}
