using System.Globalization;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Cgroups;

/// <summary>Writes a bundle's resource limits into its cgroup, each in the form of the tree its controller lives in.</summary>
public sealed partial class CgroupLimits(CgroupDirectories cgroup, IReadOnlyList<string> askedByName, List<string> warnings)
{
    /// <summary>All limits but those on devices.</summary>
    public void Apply(Resources? resources)
    {
        if (resources is null)
        {
            return;
        }

        Memory(resources.Memory);
        Cpu(resources.Cpu);
        Cpuset(resources.Cpu);
        Pids(resources.Pids);
        BlockIo(resources.BlockIo);
        HugePages(resources.HugepageLimits);
        Network(resources.Network);
        Rdma(resources.Rdma);
        Unified(resources.Unified);
    }

    /// <summary>Limits on devices; after the container's own nodes are made, which they might forbid.</summary>
    public void ApplyDevices(Resources? resources)
    {
        if (resources is not null)
        {
            Devices(DefaultDevices.AddTo(resources.Devices));
        }
    }

    private void Pids(PidsLimit? limit)
    {
        if (limit is null or { Limit: 0 })
        {
            return;
        }

        if ((cgroup.V1("pids") ?? cgroup.V2("pids")) is { } directory)
        {
            Write(directory, "pids.max", Max(limit.Limit));
        }
        else
        {
            Missing("pids", required: limit.Limit > 0);
        }
    }

    private void Devices(IReadOnlyList<DeviceRule> rules)
    {
        // No device can be made from within a user namespace, and the kernel lets nobody there attach a filter of them.
        if (rules.Count == 0 || UserNamespace.IsInside)
        {
            return;
        }

        if (cgroup.V1("devices") is { } v1)
        {
            foreach (var rule in rules)
            {
                FileSyscalls.WriteKernelFile(v1 + (rule.Allow ? "/devices.allow" : "/devices.deny"), DeviceRules.Text(rule));
            }
        }
        else if (cgroup.Unified is { } v2)
        {
            DeviceProgram.Attach(v2, DeviceRules.Compile(rules));
        }
        else
        {
            Missing("devices", required: false);
        }
    }

    private void Unified(IReadOnlyDictionary<string, string>? files)
    {
        foreach (var (name, value) in files ?? new Dictionary<string, string>())
        {
            if (name.Contains('/') || name is "" or "." or "..")
            {
                throw WherryException.Invalid($"cgroup file \"{name}\": not a file name");
            }

            var directory = cgroup.Unified ?? throw WherryException.Unsupported($"cgroup file \"{name}\": invalid configuration: this host has no cgroup v2 tree with controllers");
            Write(directory, name, value);
        }
    }

    private static string? Max(long? value) => value switch
    {
        null => null,
        < 0 => "max",
        var bytes => bytes.Value.ToString(CultureInfo.InvariantCulture),
    };

    private static void Write(string directory, string file, long? value) => Write(directory, file, value?.ToString(CultureInfo.InvariantCulture));

    private static void Write(string directory, string file, string? value)
    {
        if (value is not null)
        {
            FileSyscalls.WriteKernelFile($"{directory}/{file}", value);
        }
    }

    private void Missing(string controller, bool required)
    {
        var message = $"this host has no cgroup controller \"{controller}\"";
        if (required && askedByName.Contains(controller, StringComparer.OrdinalIgnoreCase))
        {
            throw WherryException.Unsupported($"{message}, so the limit asked for can't be set");
        }

        warnings.Add($"{message}: the container runs without that limit");
    }

    // For what nobody asks for but by name.
    private string Require(string controller, string property) =>
        cgroup.V1(controller) ?? cgroup.V2(controller) ?? throw WherryException.Unsupported($"{property}: this host has no cgroup controller \"{controller}\"");

    private static void WriteKnown(string directory, string file, string value, string property)
    {
        if (!File.Exists($"{directory}/{file}"))
        {
            throw WherryException.Unsupported($"{property}: this kernel has no {file}");
        }

        try
        {
            FileSyscalls.WriteKernelFile($"{directory}/{file}", value);
        }
        catch (LinuxException e) when (e.ErrorNumber == Errno.ENODEV)
        {
            throw WherryException.Unsupported($"{property}: this host has no such device: {value}");
        }
    }

    // Where the kernel checks one value against the other, which may go first depends on what is there.
    private static void InEitherOrder(Action first, Action second)
    {
        try
        {
            first();
        }
        catch (LinuxException e) when (e.ErrorNumber is Errno.EINVAL or Errno.EBUSY)
        {
            second();
            first();
            return;
        }

        second();
    }

    private static string Text<T>(T value)
        where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);
}
