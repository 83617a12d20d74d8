namespace Wherry.Cli.Completion;

/// <summary>What the arguments of a command name, so that a shell can offer them.</summary>
internal enum CompletionSource
{
    None,
    Commands,
    Containers,
    RunningContainers,
    Images,
    Volumes,
    BootstrapNames,
    Shells,
}
