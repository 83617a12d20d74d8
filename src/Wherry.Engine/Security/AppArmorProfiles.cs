using System.ComponentModel;
using System.Diagnostics;
using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Specs;
using Wherry.Engine.State;
using Wherry.Engine.Validation;
using Wherry.Errors;
using Wherry.Linux.AppArmor;

namespace Wherry.Engine.Security;

/// <summary>Which AppArmor profile a container is under, and that the kernel has it.</summary>
internal static class AppArmorProfiles
{
    private const string ParserName = "apparmor_parser";

    // It takes some 50 ms; a host so busy that this is not enough has no use for a container either.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Loads the default profile where that can be done; says in the log why not where AppArmor is there and it can't.</summary>
    /// <returns>The facts with what came of it.</returns>
    public static HostFacts WithDefault(HostFacts facts, Action<string> log)
    {
        if (!facts.AppArmor || facts.IsRootless)
        {
            return facts;
        }

        if (TryLoad() is not { } failure)
        {
            return Having(facts);
        }

        // An engine before this one may have left it; under a profile of its own, this one may not be allowed to use it.
        if (AppArmorKernel.OwnLabel == AppArmorKernel.Unconfined && AppArmorKernel.HasProfile(AppArmorProfile.Name) is true)
        {
            log($"the AppArmor profile {AppArmorProfile.Name} is used as it was loaded before: {failure}");
            return Having(facts);
        }

        log($"containers run without an AppArmor profile: {failure}");
        return facts;
    }

    /// <summary>The profile's name; null for none.</summary>
    public static string? Of(HostConfig host, HostFacts facts) => SecurityOptions.Parse(host.SecurityOpt).AppArmor switch
    {
        SecurityOptions.Unconfined => null,
        null => host.Privileged ? null : facts.DefaultAppArmorProfile,
        var asked => asked,
    };

    /// <summary>As <c>inspect</c> shows it: of a container that runs, what it was started under.</summary>
    public static string Shown(ContainerRecord record, HostFacts facts) =>
        !facts.AppArmor ? "" : (record.Life.IsAlive ? record.Life.AppArmorProfile : Of(record.Host, facts)) ?? AppArmorKernel.Unconfined;

    /// <summary>Loads the default profile again where the kernel has forgotten it, by the host's service that was restarted, say.</summary>
    /// <exception cref="WherryException">The kernel does not have the profile.</exception>
    public static void Require(string? profile)
    {
        if (profile is null || AppArmorKernel.HasProfile(profile) is not false)
        {
            return;
        }

        if (profile != AppArmorProfile.Name)
        {
            throw NotLoaded(profile);
        }

        if (TryLoad() is { } failure)
        {
            throw WherryException.System($"the AppArmor profile {profile} is no longer loaded: {failure}");
        }
    }

    /// <exception cref="WherryException">A profile is asked for by name and the kernel does not have it.</exception>
    public static void CheckAsked(string? asked, HostFacts facts)
    {
        if (asked is null or SecurityOptions.Unconfined)
        {
            return;
        }

        if (!facts.AppArmor)
        {
            throw WherryException.Unsupported($"--security-opt apparmor={asked}: AppArmor is not enabled in this kernel");
        }

        if (asked != facts.DefaultAppArmorProfile && AppArmorKernel.HasProfile(asked) is false)
        {
            throw NotLoaded(asked);
        }
    }

    private static WherryException NotLoaded(string profile) =>
        WherryException.Invalid($"--security-opt apparmor={profile}: no such profile is loaded: load it with apparmor_parser -r FILE");

    private static HostFacts Having(HostFacts facts) => facts with
    {
        DefaultAppArmorProfile = AppArmorProfile.Name,
        SecurityOptions = ["name=apparmor", .. facts.SecurityOptions],
    };

    /// <returns>Why it could not be loaded; null when it is.</returns>
    private static string? TryLoad()
    {
        if (AppArmorKernel.HasProfile(AppArmorProfile.Name) is null)
        {
            return "the kernel's list of profiles can't be read: mount -t securityfs securityfs /sys/kernel/security";
        }

        if (FindParser() is not { } parser)
        {
            return $"{ParserName} is not installed (package apparmor)";
        }

        try
        {
            // Not from its cache, which is for files of the host's.
            var start = new ProcessStartInfo(parser, ["--replace", "--skip-cache"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
                WorkingDirectory = "/",
            };
            using var process = Process.Start(start) ?? throw new Win32Exception();
            return Feed(process) is { } failure ? $"{ParserName}: {failure}" : null;
        }
        catch (Exception failure) when (failure is Win32Exception or IOException)
        {
            return $"{parser} can't be run: {failure.Message}";
        }
    }

    private static string? Feed(Process process)
    {
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(AppArmorProfile.Text(AppArmorKernel.OwnLabel));
        process.StandardInput.Close();
        if (!process.WaitForExit(Patience))
        {
            process.Kill();
            return $"still running after {Patience.TotalSeconds} s";
        }

        process.WaitForExit();
        return process.ExitCode == 0 ? null : $"{errors.GetAwaiter().GetResult()} {output.GetAwaiter().GetResult()}".ReplaceLineEndings(" ").Trim();
    }

    private static string? FindParser() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Append("/usr/sbin").Append("/sbin")
            .Select(directory => Path.Combine(directory, ParserName))
            .FirstOrDefault(File.Exists);
}
