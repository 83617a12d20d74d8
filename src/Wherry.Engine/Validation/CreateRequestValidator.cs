using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Specs;
using Wherry.Errors;

namespace Wherry.Engine.Validation;

/// <summary>
/// Refuses, before anything is made, what can't be or isn't offered; says in warnings what is granted in part.
/// Mounts have rules of their own, see <see cref="Volumes.MountResolver"/>.
/// </summary>
public static class CreateRequestValidator
{
    /// <param name="asked">As the client sent it: some things may come from an image but not be asked for.</param>
    /// <param name="config">The same with the image's defaults.</param>
    /// <param name="facts">What the host can give.</param>
    /// <returns>Warnings for the client.</returns>
    /// <exception cref="WherryException">InvalidParameter, NotFound or Unsupported, in Docker's words where it has any.</exception>
    public static IReadOnlyList<string> Validate(ContainerCreateRequest asked, ContainerConfig config, HostFacts facts)
    {
        var host = asked.HostConfig ?? new HostConfig();
        var warnings = new List<string>();
        CheckProgram(config);
        UnsupportedOptions.Check(asked, host);
        LogOptions.Parse(host.LogConfig);
        LimitRules.Check(host, facts, warnings);
        NetworkRules.Check(asked, config, host, warnings);
        SecurityRules.Check(host, facts, warnings);
        UserNamespaceRules.Check(host, warnings);
        return warnings;
    }

    /// <exception cref="WherryException">InvalidParameter: containers can't be called that.</exception>
    public static void ValidateName(string name) => ContainerNames.Validate(name);

    /// <summary>Variables of a container or an exec: each needs a name, and none may end before its end.</summary>
    public static void ValidateEnvironment(IReadOnlyList<string>? environment)
    {
        foreach (var variable in environment ?? [])
        {
            if (variable.Length == 0 || variable[0] == '=' || variable.Contains('\0'))
            {
                throw WherryException.Invalid($"invalid environment variable: {variable}");
            }
        }
    }

    private static void CheckProgram(ContainerConfig config)
    {
        if (config.Entrypoint is null or [] && config.Cmd is null or [])
        {
            throw WherryException.Invalid("no command specified");
        }

        if ((config.Entrypoint ?? []).Concat(config.Cmd ?? []).Any(word => word.Contains('\0')))
        {
            throw WherryException.Invalid("the command contains a null character");
        }

        ValidateEnvironment(config.Env);
        if (config.WorkingDir.Length > 0 && !config.WorkingDir.StartsWith('/'))
        {
            throw WherryException.Invalid($"the working directory '{config.WorkingDir}' is invalid, it needs to be an absolute path");
        }

        if (config.StopSignal is { Length: > 0 } signal)
        {
            Signals.Parse(signal);
        }

        if (config.Labels?.Keys.Any(key => key.Length == 0) ?? false)
        {
            throw WherryException.Invalid("invalid label: a label needs a name");
        }
    }
}
