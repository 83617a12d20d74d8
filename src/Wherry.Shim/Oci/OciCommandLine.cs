using Wherry.Errors;
using Wherry.Shim.Supervision;

namespace Wherry.Shim.Oci;

/// <summary>
/// <c>wherry-oci</c>: the part of an OCI runtime's command line that needs no state kept between calls. What is
/// not here is refused by name.
/// </summary>
public static class OciCommandLine
{
    public const string ProgramName = "wherry-oci";

    private const string Usage = """
        Usage: wherry-oci [--help] [--version] COMMAND

        Commands:
          run [-b|--bundle DIR] ID   Run a bundle in the foreground and exit with its program's exit code
          spec [-b|--bundle DIR]     Write a config.json to begin with
          features                   Say, as JSON, what this runtime can do

        create, start, state, kill, delete, exec and the other commands of an OCI runtime are not supported yet.
        """;

    public static int Run(string[] args)
    {
        try
        {
            switch (args)
            {
                case ["--version" or "-v"]:
                    ConsoleText.WriteLine(1, $"{ProgramName} version {ProgramVersion.Text}\nspec: {FeaturesCommand.NewestSpec}");
                    return 0;
                case [] or ["--help" or "-h" or "help"]:
                    ConsoleText.WriteLine(args.Length == 0 ? 2 : 1, Usage);
                    return args.Length == 0 ? 1 : 0;
                case ["run", .. var rest]:
                    var (bundle, operands) = Parse(rest);
                    return operands is [var id]
                        ? RunCommand.Run(id, bundle)
                        : throw WherryException.Invalid("run takes one operand, the container's id");
                case ["spec", .. var rest]:
                    return SpecCommand.Run(Parse(rest) is (var directory, []) ? directory : throw WherryException.Invalid("spec takes no operand"));
                case ["features"]:
                    ConsoleText.WriteLine(1, FeaturesCommand.Text);
                    return 0;
                default:
                    throw WherryException.Unsupported($"\"{args[0]}\" is not supported; run, spec and features are");
            }
        }
        catch (WherryException e)
        {
            ConsoleText.WriteLine(2, $"{ProgramName}: {e.Message}");
            return e is Runtime.Contracts.SandboxStartException start ? start.ExitCode : 1;
        }
    }

    private static (string Bundle, IReadOnlyList<string> Operands) Parse(string[] args)
    {
        var bundle = ".";
        var operands = new List<string>();
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] is "-b" or "--bundle")
            {
                bundle = ++i < args.Length ? args[i] : throw WherryException.Invalid($"{args[i - 1]} needs a directory");
            }
            else if (args[i].StartsWith("--bundle=", StringComparison.Ordinal))
            {
                bundle = args[i]["--bundle=".Length..];
            }
            else if (args[i].StartsWith('-'))
            {
                throw WherryException.Unsupported($"option {args[i]} is not supported");
            }
            else
            {
                operands.Add(args[i]);
            }
        }

        return (Path.GetFullPath(bundle), operands);
    }
}
