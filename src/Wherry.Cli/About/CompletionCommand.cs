using Wherry.Cli.CommandLine;
using Wherry.Cli.Completion;

namespace Wherry.Cli.About;

/// <summary><c>wherry completion bash|zsh|fish</c>.</summary>
internal sealed class CompletionCommand() : CliCommand("bash|zsh|fish", 1, 1)
{
    internal override CompletionSource Completes => CompletionSource.Shells;

    internal override int Run(Invocation invocation)
    {
        var tree = CommandTree.Build();
        invocation.Out.Write(invocation.Arguments[0] switch
        {
            "bash" => BashScript.Compose(tree),
            "zsh" => ZshScript.Compose(tree),
            "fish" => FishScript.Compose(tree),
            var shell => throw new CliException($"no completion for {shell}: there is one for bash, zsh and fish"),
        });
        return 0;
    }
}
