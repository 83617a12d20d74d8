using System.Runtime.InteropServices;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;

namespace Wherry.Cli.Registry;

/// <summary>
/// <c>wherry registry serve</c>: becomes the registry, which is a part of the engine's program. Its options are read
/// there, <c>--help</c> included, so that they are written down once.
/// </summary>
internal sealed class RegistryServeCommand() : CliCommand("[OPTIONS]", 0)
{
    internal override bool TakesWordsAsTheyAre => true;

    internal override int Run(Invocation invocation)
    {
        var program = EngineLauncher.FindEngine()
            ?? throw new CliException("wherryd, which the registry is a part of, is neither beside wherry nor in PATH");
        invocation.Out.Flush();
        var error = ProcessImage.Replace(program, [program, "registry", "serve", .. invocation.Arguments]);
        throw new CliException($"cannot run {program}: {Marshal.GetPInvokeErrorMessage(error)}");
    }
}
