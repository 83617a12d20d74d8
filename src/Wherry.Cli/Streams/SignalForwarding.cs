using System.Runtime.InteropServices;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;

namespace Wherry.Cli.Streams;

/// <summary>
/// Sends the signals we receive to the container (<c>--sig-proxy</c>) instead of dying of them. Those of job control
/// stay ours, so that Ctrl-Z suspends the command line.
/// </summary>
internal sealed class SignalForwarding : IDisposable
{
    private static readonly (PosixSignal Number, string Name)[] Forwarded =
    [
        (PosixSignal.SIGHUP, "HUP"), (PosixSignal.SIGINT, "INT"), (PosixSignal.SIGQUIT, "QUIT"), ((PosixSignal)10, "USR1"),
        ((PosixSignal)12, "USR2"), ((PosixSignal)14, "ALRM"), (PosixSignal.SIGTERM, "TERM"),
    ];

    private readonly List<PosixSignalRegistration> _registrations = [];

    private SignalForwarding()
    {
    }

    internal static SignalForwarding To(CliContext context, string container)
    {
        var forwarding = new SignalForwarding();
        foreach (var (number, name) in Forwarded)
        {
            forwarding._registrations.Add(PosixSignalRegistration.Create(number, received =>
            {
                received.Cancel = true;
                Send(context, container, name);
            }));
        }

        return forwarding;
    }

    public void Dispose() => _registrations.ForEach(static registration => registration.Dispose());

    private static void Send(CliContext context, string container, string signal)
    {
        try
        {
            context.Engine.Call("POST", $"/containers/{Query.Segment(container)}/kill?signal={signal}");
        }
        catch (Exception e) when (e is EngineException or CliException or IOException)
        {
            // It ended meanwhile; its exit code is on its way to us.
        }
    }
}
