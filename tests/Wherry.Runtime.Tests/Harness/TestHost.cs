using Wherry.Linux.Cgroups;

namespace Wherry.Runtime.Tests.Harness;

/// <summary>What the tests need of the host: root, the published supervisor, a static busybox. Without it they say so and are skipped.</summary>
public sealed class TestHost : IAsyncLifetime
{
    private static readonly string[] BusyboxPaths = ["/bin/busybox", "/usr/bin/busybox"];

    /// <summary>Parent of all cgroups made here; this process's own, so that runs at the same time keep apart.</summary>
    public static string CgroupParent { get; } = $"/wherry-runtime-tests-{Environment.ProcessId}";

    public static string Directory { get; } = Path.Combine(Path.GetTempPath(), $"wherry-runtime-tests-{Environment.ProcessId}");

    /// <summary>A root file system with busybox and three users.</summary>
    public static string RootFilesystem { get; } = Path.Combine(Directory, "rootfs");

    public static string Repository { get; } = FindRepository();

    public static string ShimPath { get; } = Path.Combine(Environment.GetEnvironmentVariable("WHERRY_OUT") ?? Path.Combine(Repository, "out"), "wherry-shim");

    public static void Require()
    {
        Assert.SkipWhen(Environment.UserName != "root", "needs root: it makes namespaces, mounts and cgroups");
        Assert.SkipWhen(!File.Exists(ShimPath), $"needs the published supervisor: {ShimPath} (make build, or set WHERRY_OUT)");
        Assert.SkipWhen(!BusyboxPaths.Any(File.Exists), "needs busybox-static (apt-get install busybox-static)");
    }

    /// <summary>Runs a program of the host's to its end, which has to be a good one.</summary>
    public static void Run(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program}: {error}");
    }

    public ValueTask InitializeAsync()
    {
        if (Environment.UserName == "root" && BusyboxPaths.FirstOrDefault(File.Exists) is { } busybox)
        {
            MakeRootFilesystem(busybox);
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        if (System.IO.Directory.Exists(Directory))
        {
            System.IO.Directory.Delete(Directory, recursive: true);
        }

        if (Environment.UserName == "root")
        {
            CgroupHost.Detect().Locate(CgroupParent).TryRemove();
        }

        return ValueTask.CompletedTask;
    }

    private static void MakeRootFilesystem(string busybox)
    {
        foreach (var name in (string[])["bin", "etc", "proc", "sys", "dev", "tmp", "root", "home/alice", "data"])
        {
            System.IO.Directory.CreateDirectory(Path.Combine(RootFilesystem, name));
        }

        var target = Path.Combine(RootFilesystem, "bin/busybox");
        File.Copy(busybox, target);
        File.SetUnixFileMode(target, (UnixFileMode)0x1ed);
        foreach (var applet in (string[])["sh", "true", "false", "cat", "echo", "sleep", "id", "ls", "ps", "grep", "head", "tail", "dd", "seq", "wc", "stty", "tty", "hostname", "env", "touch", "mount", "kill", "readlink", "test", "printf", "chmod", "mkdir", "rm", "stat", "yes"])
        {
            File.CreateSymbolicLink(Path.Combine(RootFilesystem, "bin", applet), "busybox");
        }

        File.WriteAllText(Path.Combine(RootFilesystem, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1001:Alice:/home/alice:/bin/sh\n");
        File.WriteAllText(Path.Combine(RootFilesystem, "etc/group"), "root:x:0:\nalice:x:1001:\nstaff:x:50:alice,bob\naudio:x:29:\n");
        File.WriteAllText(Path.Combine(RootFilesystem, "data/seed"), "from the image\n");
    }

    private static string FindRepository()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Wherry.slnx")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? "/";
    }
}

[CollectionDefinition(Name)]
public sealed class ContainerCollection : ICollectionFixture<TestHost>
{
    public const string Name = "containers";
}
