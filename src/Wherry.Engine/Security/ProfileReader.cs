using System.Text.Json;
using Wherry.Errors;
using Wherry.Oci.Runtime;

namespace Wherry.Engine.Security;

/// <summary>Reads a profile that a user gives, and says what is wrong with it before anything is made.</summary>
internal static class ProfileReader
{
    private const int MostNames = 20_000;

    private static readonly string[] Actions =
    [
        "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO", "SCMP_ACT_TRACE",
        "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_ALLOW",
    ];

    private static readonly string[] Comparisons =
        ["SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"];

    /// <exception cref="WherryException">InvalidParameter: it is none.</exception>
    public static SeccompProfile Read(string json)
    {
        ProfileDocument document;
        try
        {
            document = JsonSerializer.Deserialize(json, ProfileJson.Default.ProfileDocument) ?? throw Wrong("it is null");
        }
        catch (JsonException e)
        {
            throw WherryException.Invalid($"Decoding seccomp profile failed: {e.Message}", e);
        }

        if (document is { Architectures.Count: > 0, ArchMap.Count: > 0 })
        {
            throw Wrong("both 'architectures' and 'archMap' are specified; use either one");
        }

        CheckAction(document.DefaultAction, "defaultAction");
        var rules = (document.Syscalls ?? []).Select(RuleOf).ToArray();
        if (rules.Sum(rule => (long)rule.Rule.Names.Count) > MostNames)
        {
            throw Wrong($"it names system calls more than {MostNames} times");
        }

        return new SeccompProfile
        {
            Base = new SeccompConfig
            {
                DefaultAction = document.DefaultAction!,
                DefaultErrnoRet = document.DefaultErrnoRet,
                Architectures = document.Architectures,
                Flags = document.Flags,
                ListenerPath = string.IsNullOrEmpty(document.ListenerPath) ? null : document.ListenerPath,
                ListenerMetadata = string.IsNullOrEmpty(document.ListenerMetadata) ? null : document.ListenerMetadata,
            },
            Families = [.. (document.ArchMap ?? []).Select(family => new ArchitectureFamily(family.Architecture ?? "", family.SubArchitectures ?? []))],
            Rules = rules,
        };
    }

    private static ProfileRule RuleOf(RuleDocument rule)
    {
        if (rule is { Name.Length: > 0, Names.Count: > 0 })
        {
            throw Wrong("both 'name' and 'names' are specified; use either one");
        }

        CheckAction(rule.Action, "action");
        foreach (var argument in rule.Args ?? [])
        {
            if (argument.Index > 5)
            {
                throw Wrong($"a system call has no argument with index {argument.Index}");
            }

            if (!Comparisons.Contains(argument.Op))
            {
                throw Wrong($"invalid operator \"{argument.Op}\" in 'args'");
            }
        }

        return new ProfileRule(
            new SeccompRule
            {
                Names = rule.Name is { Length: > 0 } name ? [name] : rule.Names ?? [],
                Action = rule.Action!,
                ErrnoRet = rule.Action is "SCMP_ACT_ERRNO" or "SCMP_ACT_TRACE" ? rule.ErrnoRet : null,
                Args = [.. (rule.Args ?? []).Select(argument => new SeccompArgument(argument.Index, argument.Value, argument.ValueTwo, argument.Op!))],
            },
            ConditionOf(rule.Includes),
            ConditionOf(rule.Excludes));
    }

    private static RuleCondition? ConditionOf(ConditionDocument? condition) => condition is null
        ? null
        : new RuleCondition
        {
            Capabilities = condition.Caps ?? [],
            Architectures = condition.Arches ?? [],
            Kernel = string.IsNullOrEmpty(condition.MinKernel)
                ? null
                : KernelVersion.TryParse(condition.MinKernel) ?? throw Wrong($"invalid kernel version \"{condition.MinKernel}\" in 'minKernel'"),
        };

    private static void CheckAction(string? action, string property)
    {
        if (!Actions.Contains(action))
        {
            throw Wrong($"invalid action \"{action}\" in '{property}'");
        }
    }

    private static WherryException Wrong(string what) => WherryException.Invalid($"invalid seccomp profile: {what}");
}
