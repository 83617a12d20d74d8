using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Files;
using Wherry.Cli.Formatting;

namespace Wherry.Cli.Images;

/// <summary><c>wherry image flatten</c>.</summary>
internal sealed class FlattenCommand() : CliCommand("IMAGE [NEW_NAME[:TAG]]", 1, 2)
{
    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Images;

    internal override int Run(Invocation invocation)
    {
        var target = new Query("/wherry/images/flatten").Add("image", invocation.Arguments[0]);
        if (invocation.Arguments.Length > 1)
        {
            target.Add("name", invocation.Arguments[1]);
        }

        using var response = invocation.Engine.Send("POST", target);
        using var document = response.ReadJson();
        invocation.Out.WriteLine(document.RootElement.Text("Id"));
        return 0;
    }
}

/// <summary><c>wherry image diff</c>: the files in which two images differ.</summary>
internal sealed class CompareImagesCommand() : CliCommand("IMAGE OTHER_IMAGE", 2, 2)
{
    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Images;

    internal override int Run(Invocation invocation)
    {
        var target = new Query("/wherry/images/diff").Add("from", invocation.Arguments[0]).Add("to", invocation.Arguments[1]);
        using var document = invocation.Engine.Get(target);
        DiffCommand.Print(invocation.Out, document.RootElement);
        return 0;
    }
}
