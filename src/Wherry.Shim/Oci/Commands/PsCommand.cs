using System.Globalization;
using System.Text;
using Wherry.Errors;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Oci.Containers;
using Wherry.Shim.Supervision;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>ps</c>: a container's processes, by id or as the host's ps(1) shows them.</summary>
public sealed class PsCommand : ICommand
{
    private static readonly string[] ProgramPaths = ["/bin/ps", "/usr/bin/ps"];

    public OptionTable Options => new("ps [options] ID [options of ps(1)]", "format,f= table or json") { OperandsEndOptions = true };

    public int Run(GlobalOptions global, ParsedOptions parsed)
    {
        parsed.RequireOperands("ps", 1, int.MaxValue);

        using var container = Container.Open(global.Root, parsed.Operands[0]);
        var processes = container.Processes();
        switch (parsed.Text("format") ?? "table")
        {
            case "json":
                ConsoleText.WriteLine(1, processes.Count == 0 ? "null" : $"[{string.Join(',', processes)}]");
                return 0;
            case "table":
                Show(processes, parsed.Operands.Count > 1 ? [.. parsed.Operands.Skip(1)] : ["-ef"]);
                return 0;
            default:
                throw WherryException.Invalid("invalid format option");
        }
    }

    private static void Show(IReadOnlyList<int> processes, IReadOnlyList<string> options)
    {
        var lines = ListOfHost(options).Split('\n');
        var column = Array.IndexOf(lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries), "PID");
        if (column < 0)
        {
            throw WherryException.Invalid("couldn't find PID field in ps output");
        }

        ConsoleText.WriteLine(1, lines[0]);
        foreach (var line in lines.Skip(1))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length > column && int.TryParse(fields[column], CultureInfo.InvariantCulture, out var pid) && processes.Contains(pid))
            {
                ConsoleText.WriteLine(1, line);
            }
        }
    }

    private static string ListOfHost(IReadOnlyList<string> options)
    {
        var program = Array.Find(ProgramPaths, File.Exists) ?? throw WherryException.Unsupported("this host has no ps(1); --format json needs none");
        var (output, theirs) = FileSyscalls.Pipe();
        using (output)
        {
            int pid;
            using (theirs)
            using (var nothing = FileSyscalls.Open("/dev/null", OpenFlags.ReadOnly))
            using (var error = FileSyscalls.Duplicate(2))
            {
                pid = ProgramSpawn.Start(program, ["ps", .. options], [], [nothing, theirs, error], blockedSignals: 0);
            }

            var text = Encoding.UTF8.GetString(FileSyscalls.ReadToEnd(output, 16 * 1024 * 1024)).TrimEnd('\n');
            return ProcessSyscalls.Wait(pid, block: true) is { ExitCode: not 0 } failed
                ? throw WherryException.System($"ps ended with exit code {failed.ExitCode}")
                : text;
        }
    }
}
