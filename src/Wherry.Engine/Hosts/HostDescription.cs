using System.Runtime.InteropServices;

namespace Wherry.Engine.Hosts;

/// <summary>What a host says of itself and does not change while the engine runs.</summary>
/// <param name="OperatingSystem">os-release(5)'s pretty name.</param>
/// <param name="OsVersion">os-release(5)'s version id.</param>
/// <param name="KernelVersion">As <c>uname -r</c> prints it.</param>
/// <param name="Architecture">As <c>uname -m</c> prints it.</param>
/// <param name="CgroupVersion"><c>2</c> where the unified hierarchy carries the controllers, else <c>1</c>.</param>
internal sealed record HostDescription(
    string OperatingSystem,
    string OsVersion,
    string KernelVersion,
    string Architecture,
    string CgroupVersion)
{
    public static HostDescription Read()
    {
        var release = ReadOsRelease();
        return new HostDescription(
            release.GetValueOrDefault("PRETTY_NAME", "Linux"),
            release.GetValueOrDefault("VERSION_ID", ""),
            File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
            MachineName(RuntimeInformation.OSArchitecture),
            IsUnified() ? "2" : "1");
    }

    /// <summary>The name the Docker API gives an architecture in <c>version</c> and images (Go's GOARCH).</summary>
    public static string ImageArchitecture => RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        var other => other.ToString().ToLowerInvariant(),
    };

    private static string MachineName(Architecture architecture) => architecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "x86_64",
        System.Runtime.InteropServices.Architecture.Arm64 => "aarch64",
        var other => other.ToString().ToLowerInvariant(),
    };

    /// <summary>A pure v2 host has the controllers at the mount point itself (cgroups(7)); hybrid hosts count as v1.</summary>
    private static bool IsUnified() => File.Exists("/sys/fs/cgroup/cgroup.controllers");

    private static Dictionary<string, string> ReadOsRelease()
    {
        var path = File.Exists("/etc/os-release") ? "/etc/os-release" : "/usr/lib/os-release";
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!File.Exists(path))
        {
            return values;
        }

        foreach (var line in File.ReadLines(path))
        {
            var equals = line.IndexOf('=');
            if (equals > 0)
            {
                values[line[..equals]] = line[(equals + 1)..].Trim('"', '\'');
            }
        }

        return values;
    }
}
