using Wherry.Shim.Supervision;

namespace Wherry.Shim.Oci;

/// <summary>The OCI runtime's command line.</summary>
public static class OciCommandLine
{
    public const string ProgramName = "wherry-oci";

    public static int Run(string[] args)
    {
        ConsoleText.WriteLine(2, "x");
        return args.Length;
    }
}
