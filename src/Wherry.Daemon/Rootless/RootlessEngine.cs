using System.Globalization;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;

namespace Wherry.Daemon.Rootless;

/// <summary>What the engine knows of having been started by an ordinary user: the process that keeps its namespaces.</summary>
internal static class RootlessEngine
{
    /// <summary>Set by <see cref="RootlessEntry"/> for the program it becomes.</summary>
    public const string HolderVariable = "WHERRYD_NAMESPACES_OF";

    private static readonly int Holder = TakeHolder();

    /// <summary>This process has entered the namespaces, where it is root.</summary>
    public static bool IsThisProcess => Holder > 0;

    /// <summary>The network namespace of the containers' bridge. The engine itself stays in the host's.</summary>
    public static string NetworkNamespace => PathOf("ns/net");

    /// <summary>The reading end of the pipe that the holder keeps open: it ends with the holder.</summary>
    public static FileDescriptor OpenLifeline() => FileSyscalls.Open(PathOf($"fd/{NamespaceHolder.KeptNumber}"), OpenFlags.ReadOnly);

    private static string PathOf(string name) => $"/proc/{Holder.ToString(CultureInfo.InvariantCulture)}/{name}";

    // Programs the engine starts are not the engine: the word is not passed on.
    private static int TakeHolder()
    {
        var text = Environment.GetEnvironmentVariable(HolderVariable);
        Environment.SetEnvironmentVariable(HolderVariable, null);
        return UserNamespace.IsInside && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0;
    }
}
