using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;

namespace Wherry.Cli.Streams;

/// <summary>
/// A wait for a container's end that the engine has already registered: asked for before the start, it can't miss
/// even the shortest life.
/// </summary>
internal sealed class PendingExit : IDisposable
{
    private readonly CliContext _context;
    private readonly string _container;
    private readonly HttpResponse _response;

    private PendingExit(CliContext context, string container, HttpResponse response)
    {
        _context = context;
        _container = container;
        _response = response;
    }

    /// <param name="context">The engine and the streams.</param>
    /// <param name="container">The container's id.</param>
    /// <param name="condition"><c>next-exit</c>, <c>removed</c>, or empty: not running.</param>
    internal static PendingExit Register(CliContext context, string container, string condition)
    {
        var target = $"/containers/{Query.Segment(container)}/wait";
        return new PendingExit(context, container, context.Engine.Send("POST", condition.Length == 0 ? target : $"{target}?condition={condition}"));
    }

    /// <summary>Blocks until the container ends and returns its exit code; 125 where the engine could not wait.</summary>
    internal int ExitCode()
    {
        using var document = _response.ReadJson();
        if (document.RootElement.Text("Error", "Message") is { Length: > 0 } message)
        {
            _context.Warn(message);
            return 125;
        }

        return (int)document.RootElement.Number("StatusCode");
    }

    /// <summary>
    /// The exit code once the program's output has ended. Where the detach keys were typed and the container still
    /// runs, it has been detached from (the engine saw the keys and closed the stream): that is a success of ours.
    /// </summary>
    internal int ExitCodeUnlessDetached(DetachKeys keys)
    {
        if (!keys.Typed)
        {
            return ExitCode();
        }

        for (var wait = 20; ; wait = Math.Min(wait * 2, 1000))
        {
            if (_response.WaitReadable(wait))
            {
                return ExitCode();
            }

            if (IsRunning())
            {
                _context.Warn("read escape sequence: detached, the container runs on");
                return 0;
            }
        }
    }

    public void Dispose() => _response.Dispose();

    private bool IsRunning()
    {
        try
        {
            using var document = _context.Engine.Get($"/containers/{Query.Segment(_container)}/json");
            return document.RootElement.Truth("State", "Running");
        }
        catch (EngineException e) when (e.Status == 404)
        {
            return false;
        }
    }
}
