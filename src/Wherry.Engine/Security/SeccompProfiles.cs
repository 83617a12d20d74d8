using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Specs;
using Wherry.Engine.Validation;
using Wherry.Errors;
using Wherry.Oci.Runtime;

namespace Wherry.Engine.Security;

/// <param name="Config">For the bundle.</param>
/// <param name="CacheFile">Where its compiled form is kept, named after what is in it.</param>
internal sealed record ResolvedSeccomp(SeccompConfig Config, string CacheFile);

/// <summary>
/// Which system call rules a container gets. Reading a profile, choosing its rules and naming their cache is done
/// once for a profile and a set of capabilities; the filter itself is compiled by the first container's stage, into a
/// directory that goes with the engine's live state.
/// </summary>
internal sealed class SeccompProfiles(string execRoot)
{
    /// <summary>A host has a handful; what a client could make it hold is bounded.</summary>
    private const int MostKept = 64;

    private readonly string _directory = Path.Combine(execRoot, "seccomp");
    private readonly ConcurrentDictionary<(string Profile, string Capabilities), ResolvedSeccomp> _resolved = new();

    /// <summary>Null for a container that may call anything.</summary>
    /// <param name="host">What was asked.</param>
    /// <param name="capabilities">The container's.</param>
    /// <param name="facts">The host.</param>
    public ResolvedSeccomp? For(HostConfig host, Capabilities capabilities, HostFacts facts)
    {
        var asked = SecurityOptions.Parse(host.SecurityOpt).Seccomp;
        if (!facts.Seccomp || asked == SecurityOptions.Unconfined || (host.Privileged && asked is null))
        {
            return null;
        }

        var key = (asked is null or SecurityOptions.Builtin ? SecurityOptions.Builtin : Hash(Encoding.UTF8.GetBytes(asked)), string.Join(' ', capabilities.Bounding));
        if (_resolved.TryGetValue(key, out var known))
        {
            return known;
        }

        if (_resolved.Count >= MostKept)
        {
            _resolved.Clear();
        }

        var resolved = Resolve(ProfileOf(asked), capabilities, facts);
        _resolved[key] = resolved;
        return resolved;
    }

    /// <summary>Refuses a profile that is none, or needs what the kernel does not have, before a container is made.</summary>
    /// <exception cref="WherryException">InvalidParameter or Unsupported.</exception>
    public static void Check(string? asked, HostFacts facts)
    {
        if (asked is null or SecurityOptions.Unconfined)
        {
            return;
        }

        if (!facts.Seccomp)
        {
            throw WherryException.Unsupported("seccomp is not enabled in your kernel, cannot run a custom seccomp profile");
        }

        var profile = ProfileOf(asked);
        foreach (var action in profile.Rules.Select(rule => rule.Rule.Action).Append(profile.Base.DefaultAction).Distinct())
        {
            if (facts.SeccompActions.Count > 0 && !facts.SeccompActions.Contains(KernelName(action)))
            {
                throw WherryException.Unsupported($"the seccomp profile uses {action}, which this kernel does not have");
            }
        }
    }

    /// <summary>At the engine's start: filters are made again as they are needed. Supervisors that live on may add some meanwhile.</summary>
    public void Clear()
    {
        if (!Directory.Exists(_directory))
        {
            return;
        }

        foreach (var filter in Directory.EnumerateFiles(_directory))
        {
            File.Delete(filter);
        }
    }

    private ResolvedSeccomp Resolve(SeccompProfile profile, Capabilities capabilities, HostFacts facts)
    {
        var config = profile.For(
            capabilities.Bounding.ToHashSet(StringComparer.Ordinal),
            KernelVersion.TryParse(facts.KernelVersion) ?? default,
            RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "SCMP_ARCH_AARCH64" : "SCMP_ARCH_X86_64");
        Directory.CreateDirectory(_directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var name = Hash(JsonSerializer.SerializeToUtf8Bytes(config, SpecJson.Default.SeccompConfig));
        return new ResolvedSeccomp(config, Path.Combine(_directory, name + ".bpf"));
    }

    private static SeccompProfile ProfileOf(string? asked) =>
        asked is null or SecurityOptions.Builtin ? DefaultProfile.Profile : ProfileReader.Read(asked);

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>As in /proc/sys/kernel/seccomp/actions_avail.</summary>
    private static string KernelName(string action) => action switch
    {
        "SCMP_ACT_KILL" => "kill_thread",
        "SCMP_ACT_NOTIFY" => "user_notif",
        _ => action["SCMP_ACT_".Length..].ToLowerInvariant(),
    };
}
