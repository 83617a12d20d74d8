using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>The two command lines every promise is tested with.</summary>
public static class Clients
{
    public const string Docker = "docker";
    public const string Wherry = "wherry";
}

/// <summary>One of the command lines, pointed at one engine by its environment alone.</summary>
public sealed class Client
{
    private static int LastNumber;

    private readonly string _file;
    private readonly string _host;

    public Client(string kind, PrivateEngine engine)
        : this(kind, kind == Clients.Docker ? Binaries.Docker : Binaries.Wherry, engine.Host)
    {
    }

    /// <param name="kind">How the client behaves.</param>
    /// <param name="file">Its program.</param>
    /// <param name="host">The engine's address.</param>
    public Client(string kind, string file, string host)
    {
        Kind = kind;
        _file = file;
        _host = host;
    }

    public string Kind { get; }

    public IReadOnlyDictionary<string, string?> Environment => new Dictionary<string, string?>
    {
        ["DOCKER_HOST"] = _host,
        ["WHERRY_HOST"] = _host,
        // Nothing of the developer's own configuration.
        ["DOCKER_CONFIG"] = "/nonexistent",
        ["DOCKER_CONTEXT"] = null,
        ["DOCKER_API_VERSION"] = null,
        ["NO_COLOR"] = "1",
        ["HOME"] = "/tmp",
    };

    /// <summary>A container name no other test uses.</summary>
    public static string NewName(string what = "c") =>
        string.Create(CultureInfo.InvariantCulture, $"{what}-{Interlocked.Increment(ref LastNumber)}");

    public Task<CommandResult> RunAsync(params string[] arguments) => RunAsync(arguments, input: null);

    public Task<CommandResult> RunAsync(IReadOnlyList<string> arguments, string? input, double seconds = 90) =>
        Command.RunAsync(_file, arguments, Environment, input, TimeSpan.FromSeconds(seconds));

    /// <summary>Runs a command that must succeed and returns what it printed.</summary>
    public async Task<string> TextAsync(params string[] arguments) => (await RunAsync(arguments)).Succeeded().Text;

    /// <summary>Starts a command that goes on; the caller owns the process.</summary>
    public Process Start(params string[] arguments) => Command.Start(_file, arguments, Environment);

    /// <summary>Starts a command on a terminal of its own.</summary>
    public PseudoTerminal StartInTerminal(params string[] arguments) => PseudoTerminal.Start(_file, arguments, Environment);

    /// <summary>Runs a detached container of busybox and returns its id.</summary>
    public Task<string> DetachedAsync(params string[] arguments) => TextAsync(["run", "-d", .. arguments]);

    public async Task<JsonElement> InspectAsync(string container)
    {
        var text = await TextAsync("inspect", container);
        return JsonDocument.Parse(text).RootElement[0];
    }

    /// <summary>A field of a container by Go template, which both command lines understand.</summary>
    public Task<string> FieldAsync(string container, string template) => TextAsync("inspect", "--format", template, container);

    public Task WaitForStatusAsync(string container, string status, double seconds = 20) =>
        Eventually.TrueAsync(
            async () => await FieldAsync(container, "{{.State.Status}}") == status,
            $"{container} is {status}",
            seconds);

    public Task RemoveAsync(params string[] containers) => RunAsync(["rm", "-f", "-v", .. containers]);
}
