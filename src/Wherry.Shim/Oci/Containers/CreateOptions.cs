using Wherry.Errors;
using Wherry.Shim.Oci.CommandLine;

namespace Wherry.Shim.Oci.Containers;

/// <summary>How a container is to be made; what it is, is in its bundle.</summary>
public sealed record CreateOptions
{
    public required string Id { get; init; }

    /// <summary>The bundle's directory, absolute.</summary>
    public required string Bundle { get; init; }

    /// <summary>Where the terminal's master is sent to.</summary>
    public string? ConsoleSocket { get; init; }

    /// <summary>Where the first process's descriptor is sent to.</summary>
    public string? ProcessSocket { get; init; }

    /// <summary>Where the first process's id is written, as the last thing.</summary>
    public string? PidFile { get; init; }

    /// <summary>How many of this process's descriptors, from 3 on, the program inherits.</summary>
    public int PreservedDescriptors { get; init; }

    /// <summary>The command ends before the container does.</summary>
    public bool Detach { get; init; }

    /// <summary>The program waits for a start by another command.</summary>
    public bool WaitsForStart { get; init; }

    /// <summary>Enter the root by moving it rather than by pivot_root, which a root on the initial ramdisk does not allow.</summary>
    public bool NoPivot { get; init; }

    /// <summary>Stay in the caller's session keyring.</summary>
    public bool NoNewKeyring { get; init; }

    /// <summary>Of every command that makes a process.</summary>
    public const string PidfdSocketOption = "pidfd-socket= Unix socket that is sent a descriptor of the process";

    /// <summary>What the command has to do that can be done while the stage begins, which takes a moment; null for nothing.</summary>
    public Action? WhileStageBegins { get; init; }

    public static string[] Options =>
    [
        "bundle,b= The bundle's directory (default: the working directory)",
        "console-socket= Unix socket that is sent the terminal's master",
        PidfdSocketOption,
        "pid-file= File to write the first process's id to",
        "no-pivot Enter the root without pivot_root",
        "no-new-keyring Stay in the caller's session keyring",
        "preserve-fds= How many further descriptors (from 3 on) the program inherits",
    ];

    public static CreateOptions From(ParsedOptions parsed, string command)
    {
        return new CreateOptions
        {
            Id = ContainerId.Require(parsed.RequireId(command)),
            Bundle = Path.GetFullPath(parsed.Text("bundle") is { Length: > 0 } bundle ? bundle : "."),
            ConsoleSocket = FullPath(parsed, "console-socket"),
            ProcessSocket = FullPath(parsed, "pidfd-socket"),
            PidFile = FullPath(parsed, "pid-file"),
            PreservedDescriptors = Preserved(parsed),
            NoPivot = parsed.IsOn("no-pivot"),
            NoNewKeyring = parsed.IsOn("no-new-keyring"),
        };
    }

    /// <summary>A path given, as seen from the root; null for none.</summary>
    public static string? FullPath(ParsedOptions parsed, string option) => parsed.Text(option) is { Length: > 0 } path ? Path.GetFullPath(path) : null;

    /// <summary>The count given by <c>--preserve-fds</c>.</summary>
    public static int Preserved(ParsedOptions parsed) => parsed.Number("preserve-fds") switch
    {
        null => 0,
        >= 0 and <= InheritedDescriptors.Most and var count => (int)count,
        var count => throw WherryException.Invalid($"--preserve-fds {count}: must be between 0 and {InheritedDescriptors.Most}"),
    };

    /// <exception cref="WherryException">Whether there is a terminal, and who is to have it, don't go together.</exception>
    public void RequireConsoleFor(bool terminal)
    {
        if (Detach && terminal && ConsoleSocket is null)
        {
            throw WherryException.Invalid($"cannot allocate tty if {OciCommandLine.ProgramName} will detach without setting console socket");
        }

        if ((!Detach || !terminal) && ConsoleSocket is not null)
        {
            throw WherryException.Invalid($"cannot use console socket if {OciCommandLine.ProgramName} will not detach or allocate tty");
        }
    }
}
