using Wherry.Cli.CommandLine;

namespace Wherry.Cli.Containers;

/// <summary><c>wherry create</c>.</summary>
internal sealed class CreateCommand : ContainerOptions
{
    internal override int Run(Invocation invocation)
    {
        var request = new CreateRequestBuilder(this, invocation, detached: false).Build();
        invocation.Out.WriteLine(NewContainer.Create(this, invocation, request));
        return 0;
    }
}
