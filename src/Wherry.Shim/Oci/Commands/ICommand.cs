using Wherry.Shim.Oci.CommandLine;

namespace Wherry.Shim.Oci.Commands;

/// <summary>One command of <c>wherry-oci</c>.</summary>
public interface ICommand
{
    OptionTable Options { get; }

    /// <returns>The exit code.</returns>
    /// <exception cref="Errors.WherryException">It failed; what it made is gone again.</exception>
    int Run(GlobalOptions global, ParsedOptions parsed);
}
