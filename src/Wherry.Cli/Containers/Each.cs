using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;

namespace Wherry.Cli.Containers;

/// <summary>
/// Does the same to every object named: prints the name of each that worked and the error of each that did not, goes
/// on with the others, and fails at the end if any failed.
/// </summary>
internal static class Each
{
    internal static int Container(Invocation invocation, Action<string> action) => Object(invocation, name =>
    {
        action(name);
        invocation.Out.WriteLine(name);
    });

    internal static int Object(Invocation invocation, Action<string> action)
    {
        var failed = false;
        foreach (var name in invocation.Arguments)
        {
            try
            {
                if (name.Trim('/').Length == 0)
                {
                    throw new CliException("invalid container name or ID: value is empty");
                }

                action(name);
            }
            catch (EngineException e)
            {
                failed = true;
                invocation.Out.Flush();
                ErrorText.Write(invocation.Context.Streams.ErrorText, e);
            }
        }

        return failed ? 1 : 0;
    }

    /// <summary>The same with a few requests at a time, for what makes the engine wait (stopping). Order of output is that of the names.</summary>
    internal static int Concurrently(Invocation invocation, Action<string> action)
    {
        if (invocation.Arguments.Length == 1)
        {
            return Container(invocation, action);
        }

        const int AtOnce = 50;
        var results = new EngineException?[invocation.Arguments.Length];
        Parallel.For(0, results.Length, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, i =>
        {
            try
            {
                action(invocation.Arguments[i]);
            }
            catch (EngineException e)
            {
                results[i] = e;
            }
        });
        for (var i = 0; i < results.Length; i++)
        {
            if (results[i] is { } error)
            {
                invocation.Out.Flush();
                ErrorText.Write(invocation.Context.Streams.ErrorText, error);
            }
            else
            {
                invocation.Out.WriteLine(invocation.Arguments[i]);
            }
        }

        return Array.Exists(results, static r => r is not null) ? 1 : 0;
    }
}
